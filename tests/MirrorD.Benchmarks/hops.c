/*
 * A mirrored block device with nothing but the hops, in C: NBD requests come in over a unix socket, each write goes over TCP to a
 * second process and to a file, and is answered when both have it. One request at a time, no log, no checksums, no decisions:
 * what it takes longer than this is the price of those.
 *
 *   hops back ADDRESS PORT FILE            the second process
 *   hops front SOCKET ADDRESS PORT FILE    the server; NBD protocol of github.com/NetworkBlockDevice/nbd, doc/proto.md
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 4 << 20, SECTOR = 4096 };
enum { READ = 0, WRITE = 1, DISCONNECT = 2, FLUSH = 3 };
enum { OPT_EXPORT_NAME = 1, OPT_ABORT = 2, OPT_INFO = 6, OPT_GO = 7 };

struct request {
    uint32_t magic;
    uint16_t flags;
    uint16_t type;
    uint64_t cookie;
    uint64_t offset;
    uint32_t length;
} __attribute__((packed));

struct reply {
    uint32_t magic;
    uint32_t error;
    uint64_t cookie;
} __attribute__((packed));

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int take(int from, void *into, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t got = recv(from, (char *)into + at, length - at, MSG_WAITALL);
        if (got <= 0)
            return -1;
        at += (size_t)got;
    }
    return 0;
}

static void give(int to, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t sent = send(to, (const char *)bytes + at, length - at, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        at += (size_t)sent;
    }
}

static int disk(const char *path)
{
    int fd = open(path, O_RDWR | O_DIRECT);
    if (fd < 0 && errno == EINVAL)
        fd = open(path, O_RDWR);
    if (fd < 0)
        fail(path);
    return fd;
}

/* The header lies just before the aligned bytes: both leave with one send. */
static struct request *room(char **bytes)
{
    char *memory = aligned_alloc(SECTOR, SECTOR + MOST);
    if (!memory)
        fail("memory");
    *bytes = memory + SECTOR;
    return (struct request *)(*bytes - sizeof(struct request));
}

static struct sockaddr_in address(char **words)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])) };
    if (inet_pton(AF_INET, words[0], &at.sin_addr) != 1)
        fail(words[0]);
    return at;
}

static void quick(int socket)
{
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int listening(int family, const void *at, socklen_t length)
{
    int one = 1, listener = socket(family, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listener < 0 || bind(listener, at, length) || listen(listener, 8))
        fail("listen");
    puts("ready");
    fflush(stdout);
    return listener;
}

static void back(char **words)
{
    struct sockaddr_in at = address(words);
    int file = disk(words[2]), listener = listening(AF_INET, &at, sizeof at);
    char *bytes;
    struct request *request = room(&bytes);
    int front = accept(listener, NULL, NULL);
    if (front < 0)
        fail("accept");
    quick(front);
    while (take(front, request, sizeof *request) == 0) {
        uint32_t length = be32toh(request->length);
        uint64_t done = 0;
        if (be16toh(request->type) == FLUSH) {
            if (fdatasync(file))
                fail("fdatasync");
        } else {
            if (length > MOST || take(front, bytes, length))
                break;
            if (pwrite(file, bytes, length, (off_t)be64toh(request->offset)) != (ssize_t)length)
                fail("pwrite");
        }
        give(front, &done, sizeof done);
    }
}

static void say64(int to, uint64_t value)
{
    value = htobe64(value);
    give(to, &value, sizeof value);
}

static void option_reply(int to, uint32_t option, uint32_t type, const void *bytes, uint32_t length)
{
    uint32_t rest[3] = { htobe32(option), htobe32(type), htobe32(length) };
    say64(to, 0x3e889045565a9);
    give(to, rest, sizeof rest);
    give(to, bytes, length);
}

/* HAS_FLAGS, SEND_FLUSH */
static const uint16_t s_flags = 1 | 4;

static int greet(int client, uint64_t size)
{
    uint16_t fixed = htobe16(1 | 2);
    uint32_t theirs;
    say64(client, 0x4e42444d41474943);
    say64(client, 0x49484156454f5054);
    give(client, &fixed, sizeof fixed);
    if (take(client, &theirs, sizeof theirs))
        return -1;
    for (;;) {
        uint64_t magic;
        uint32_t head[2];
        static char ignored[1 << 16];
        if (take(client, &magic, sizeof magic) || take(client, head, sizeof head))
            return -1;
        uint32_t option = be32toh(head[0]), length = be32toh(head[1]);
        if (length > sizeof ignored || take(client, ignored, length))
            return -1;
        uint64_t bytes = htobe64(size);
        uint16_t flags = htobe16(s_flags);
        if (option == OPT_EXPORT_NAME) {
            static const char zeroes[124];
            give(client, &bytes, sizeof bytes);
            give(client, &flags, sizeof flags);
            if (!(be32toh(theirs) & 2))
                give(client, zeroes, sizeof zeroes);
            return 0;
        }
        if (option == OPT_GO || option == OPT_INFO) {
            char info[12] = { 0 };
            memcpy(info + 2, &bytes, sizeof bytes);
            memcpy(info + 10, &flags, sizeof flags);
            option_reply(client, option, 3, info, sizeof info);
            option_reply(client, option, 1, NULL, 0);
            if (option == OPT_GO)
                return 0;
        } else if (option == OPT_ABORT) {
            return -1;
        } else {
            option_reply(client, option, 0x80000001, NULL, 0);
        }
    }
}

static void serve(int client, int peer, int file, struct request *request, char *bytes)
{
    /* As the header of a request: the reply and what was read leave with one send. */
    struct reply *reply = (struct reply *)(bytes - sizeof *reply);
    while (take(client, request, sizeof *request) == 0) {
        uint32_t length = be32toh(request->length);
        uint64_t done, cookie = request->cookie;
        off_t offset = (off_t)be64toh(request->offset);
        uint16_t type = be16toh(request->type);
        size_t more = 0;
        if (type == DISCONNECT || length > MOST)
            return;
        if (type == WRITE) {
            if (take(client, bytes, length))
                return;
            give(peer, request, sizeof *request + length);
            if (pwrite(file, bytes, length, offset) != (ssize_t)length)
                fail("pwrite");
        } else if (type == FLUSH) {
            give(peer, request, sizeof *request);
            if (fdatasync(file))
                fail("fdatasync");
        } else {
            if (pread(file, bytes, length, offset) != (ssize_t)length)
                fail("pread");
            more = length;
        }
        if (type != READ && take(peer, &done, sizeof done))
            fail("peer");
        *reply = (struct reply){ htobe32(0x67446698), 0, cookie };
        give(client, reply, sizeof *reply + more);
    }
}

static _Noreturn void front(char **words)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct sockaddr_in there = address(words + 1);
    struct stat about;
    char *bytes;
    struct request *request = room(&bytes);
    int file = disk(words[3]), peer = socket(AF_INET, SOCK_STREAM, 0);
    if (fstat(file, &about))
        fail(words[3]);
    if (connect(peer, (struct sockaddr *)&there, sizeof there))
        fail("connect");
    quick(peer);
    strncpy(at.sun_path, words[0], sizeof at.sun_path - 1);
    int listener = listening(AF_UNIX, &at, sizeof at);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            fail("accept");
        if (greet(client, (uint64_t)about.st_size) == 0)
            serve(client, peer, file, request, bytes);
        close(client);
    }
}

int main(int count, char **words)
{
    if (count == 5 && strcmp(words[1], "back") == 0) {
        back(words + 2);
        return 0;
    }
    if (count == 6 && strcmp(words[1], "front") == 0)
        front(words + 2);
    fputs("usage: hops back ADDRESS PORT FILE | hops front SOCKET ADDRESS PORT FILE\n", stderr);
    return 2;
}
