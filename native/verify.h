/* Compared with the C# declarations of src/MirrorD.Io.Linux/Interop: the test InteropTests generates a C file
 * that includes a kernel header, this one, and one line below per struct, field and constant. It has to compile. */
#ifndef MIRRORD_VERIFY_H
#define MIRRORD_VERIFY_H

#include <stddef.h>
#include <linux/version.h>

#define MIRRORD_HEADERS_HAVE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#define MIRRORD_SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), "C# has " #bytes " bytes for " #type)

#define MIRRORD_FIELD(type, field, offset, bytes) \
    _Static_assert(offsetof(type, field) == (offset), "C# has offset " #offset " for " #type "." #field); \
    _Static_assert(sizeof(((type *)0)->field) == (bytes), "C# has " #bytes " bytes for " #type "." #field)

#define MIRRORD_CONSTANT(name, value) \
    _Static_assert((long long)(name) == (value), "C# has " #value " for " #name)

#endif
