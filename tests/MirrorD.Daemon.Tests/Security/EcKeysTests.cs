using System.Security.Cryptography;
using MirrorD.Configuration.Identity;
using Xunit;

namespace MirrorD.Daemon.Tests.Security;

public sealed class EcKeysTests
{
    // 1.2.840.10045.3.1.7 (RFC 5480, section 2.1.1.1).
    private static readonly byte[] s_curve = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

    [Fact]
    public void A_key_comes_back_from_its_text_and_its_bytes()
    {
        using ECDsa key = EcKeys.Create();
        using ECDsa read = EcKeys.Private(key.ExportPkcs8PrivateKeyPem());
        byte[] known = key.ExportSubjectPublicKeyInfo();
        Assert.Equal(known, read.ExportSubjectPublicKeyInfo());
        Assert.Equal(known, EcKeys.Public(known).ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void Other_kinds_and_unknown_curves_and_damage_are_refused_alike()
    {
        using ECDsa good = EcKeys.Create();
        using ECDsa larger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using ECDsa other256 = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        using RSA rsa = RSA.Create(2048);
        byte[] unknown = good.ExportPkcs8PrivateKey();
        unknown[unknown.AsSpan().IndexOf(s_curve)] = 0x22;
        string[] texts =
        [
            "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", PemEncoding.WriteString("PRIVATE KEY", unknown),
            larger.ExportPkcs8PrivateKeyPem(), other256.ExportPkcs8PrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), good.ExportSubjectPublicKeyInfoPem(),
        ];
        Assert.All(texts, text => Assert.Throws<CryptographicException>(() => EcKeys.Private(text)));

        byte[] known = good.ExportSubjectPublicKeyInfo();
        byte[] other = [.. known];
        other[other.AsSpan().IndexOf(s_curve)] = 0x22;
        byte[][] keys =
        [
            [], known[..^1], [.. known, 0], other, larger.ExportSubjectPublicKeyInfo(), other256.ExportSubjectPublicKeyInfo(),
            rsa.ExportSubjectPublicKeyInfo(),
        ];
        Assert.All(keys, key => Assert.Throws<CryptographicException>(() => EcKeys.Public(key)));
    }
}
