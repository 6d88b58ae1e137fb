/*
 * An nbdkit plugin: a disk with a volatile write cache. What was written and not flushed is in this process only,
 * so kill -9 of nbdkit is a power cut. A drive may also write back on its own, in any order and torn between
 * sectors; `evict` is the chance in percent that a written block reaches the file at once, and a third of those
 * that don't are torn: only their first sectors reach it.
 *
 * nbdkit volatile-disk.so file=PATH [evict=PERCENT] [seed=NUMBER]
 */
#define NBDKIT_API_VERSION 2
#define _GNU_SOURCE
#include <nbdkit-plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The mutable state below is protected by the thread model: one request at a time over all connections. */
#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS
#define BLOCK_BYTES 4096
#define SECTOR_BYTES 512

static const char *path;
static int evict_percent;
static unsigned int seed = 1;
static uint64_t random_state;
static int file_descriptor = -1;
static int64_t size_bytes;
static uint8_t **cached;         /* per block: what is not in the file yet, or NULL */
static uint64_t *cached_indexes; /* of the blocks cached, in no order */
static uint64_t cached_count;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static int parse(const char *key, const char *value)
{
    if (strcmp(key, "file") == 0) {
        path = nbdkit_absolute_path(value);
        return path == NULL ? -1 : 0;
    }
    if (strcmp(key, "evict") == 0)
        return nbdkit_parse_int("evict", value, &evict_percent);
    if (strcmp(key, "seed") == 0)
        return nbdkit_parse_unsigned("seed", value, &seed);
    nbdkit_error("unknown parameter '%s'", key);
    return -1;
}

static int prepare(void)
{
    struct stat status;

    if (path == NULL) {
        nbdkit_error("file= is missing");
        return -1;
    }
    file_descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (file_descriptor < 0 || fstat(file_descriptor, &status) < 0) {
        nbdkit_error("%s: %m", path);
        return -1;
    }
    size_bytes = status.st_size & ~(int64_t)(BLOCK_BYTES - 1);
    cached = calloc((size_t)(size_bytes / BLOCK_BYTES), sizeof *cached);
    cached_indexes = calloc((size_t)(size_bytes / BLOCK_BYTES), sizeof *cached_indexes);
    if (cached == NULL || cached_indexes == NULL) {
        nbdkit_error("%m");
        return -1;
    }
    random_state = seed;
    next_random();
    return 0;
}

static void *open_connection(int readonly)
{
    (void)readonly;
    return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t get_size(void *handle)
{
    (void)handle;
    return size_bytes;
}

static int read_file(void *buffer, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t got = pread(file_descriptor, buffer, length, (off_t)offset);
        if (got <= 0) {
            nbdkit_error("pread: %m");
            return -1;
        }
        buffer = (uint8_t *)buffer + got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return 0;
}

static int write_file(const void *buffer, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t put = pwrite(file_descriptor, buffer, length, (off_t)offset);
        if (put < 0) {
            nbdkit_error("pwrite: %m");
            return -1;
        }
        buffer = (const uint8_t *)buffer + put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return 0;
}

static int read_disk(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
    uint8_t *to = buffer;

    (void)handle;
    (void)flags;
    while (count > 0) {
        uint64_t block = offset / BLOCK_BYTES;
        uint32_t within = (uint32_t)(offset % BLOCK_BYTES);
        uint32_t length = BLOCK_BYTES - within < count ? BLOCK_BYTES - within : count;

        if (cached[block] != NULL)
            memcpy(to, cached[block] + within, length);
        else if (read_file(to, length, offset) < 0)
            return -1;
        to += length;
        offset += length;
        count -= length;
    }
    return 0;
}

static int write_disk(void *handle, const void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
    const uint8_t *from = buffer;

    (void)handle;
    while (count > 0) {
        uint64_t block = offset / BLOCK_BYTES;
        uint32_t within = (uint32_t)(offset % BLOCK_BYTES);
        uint32_t length = BLOCK_BYTES - within < count ? BLOCK_BYTES - within : count;

        if (cached[block] == NULL) {
            uint8_t *copy = malloc(BLOCK_BYTES);
            if (copy == NULL || read_file(copy, BLOCK_BYTES, block * BLOCK_BYTES) < 0) {
                free(copy);
                return -1;
            }
            cached[block] = copy;
            cached_indexes[cached_count++] = block;
        }
        memcpy(cached[block] + within, from, length);

        /* With FUA the block is in the file now; it may stay in the list of cached ones, with equal content. */
        if ((flags & NBDKIT_FLAG_FUA) != 0 || next_random() % 100 < (uint32_t)evict_percent) {
            if (write_file(cached[block], BLOCK_BYTES, block * BLOCK_BYTES) < 0)
                return -1;
        } else if (evict_percent > 0 && next_random() % 3 == 0) {
            size_t torn = (next_random() % (BLOCK_BYTES / SECTOR_BYTES)) * SECTOR_BYTES;
            if (write_file(cached[block], torn, block * BLOCK_BYTES) < 0)
                return -1;
        }
        from += length;
        offset += length;
        count -= length;
    }
    return 0;
}

static int flush_disk(void *handle, uint32_t flags)
{
    (void)handle;
    (void)flags;
    while (cached_count > 0) {
        uint64_t block = cached_indexes[cached_count - 1];

        if (write_file(cached[block], BLOCK_BYTES, block * BLOCK_BYTES) < 0)
            return -1;
        free(cached[block]);
        cached[block] = NULL;
        cached_count--;
    }
    return 0;
}

static int fua_support(void *handle)
{
    (void)handle;
    return NBDKIT_FUA_NATIVE;
}

/* All connections see one cache. */
static int multi_connection_support(void *handle)
{
    (void)handle;
    return 1;
}

static struct nbdkit_plugin plugin = {
    .name = "volatiledisk",
    .version = "1",
    .longname = "disk with a volatile write cache",
    .config = parse,
    .config_complete = prepare,
    .open = open_connection,
    .get_size = get_size,
    .pread = read_disk,
    .pwrite = write_disk,
    .flush = flush_disk,
    .can_fua = fua_support,
    .can_multi_conn = multi_connection_support,
};

NBDKIT_REGISTER_PLUGIN(plugin)
