// Two network interfaces, each in a namespace of its own, joined by a line that takes time: what one sends arrives at the
// other so many microseconds later, in order. Usage: far NAMESPACE-A NAMESPACE-B INTERFACE MICROSECONDS
// It says "ready" when both interfaces are there, without addresses and down.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 16384, BYTES = 9216 };

struct frame {
    int64_t due_ns;
    int length;
    char bytes[BYTES];
};

struct line {
    int from, to;
    uint32_t first, count;
    struct frame *frames;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "far: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_tap(const char *name_space, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", name_space);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0)
        fail(path);
    close(space);
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0)
        fail("/dev/net/tun");
    return tap;
}

// What does not fit is lost, as on a line.
static void take(struct line *line, int64_t delay_ns)
{
    while (line->count < FRAMES) {
        struct frame *frame = &line->frames[(line->first + line->count) % FRAMES];
        frame->length = (int)read(line->from, frame->bytes, BYTES);
        if (frame->length <= 0)
            return;
        frame->due_ns = now_ns() + delay_ns;
        line->count++;
    }
}

static void deliver(struct line *line)
{
    while (line->count > 0 && line->frames[line->first].due_ns <= now_ns()) {
        struct frame *frame = &line->frames[line->first];
        if (write(line->to, frame->bytes, frame->length) < 0 && errno != EIO && errno != EAGAIN)
            fail("write");
        line->first = (line->first + 1) % FRAMES;
        line->count--;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: far NAMESPACE-A NAMESPACE-B INTERFACE MICROSECONDS\n");
        return 2;
    }
    int a = open_tap(argv[1], argv[3]), b = open_tap(argv[2], argv[3]);
    int64_t delay_ns = atoll(argv[4]) * 1000;
    struct line lines[] = { { .from = a, .to = b }, { .from = b, .to = a } };
    for (int i = 0; i < 2; i++)
        if ((lines[i].frames = calloc(FRAMES, sizeof(struct frame))) == NULL)
            fail("memory");
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int64_t due_ns = INT64_MAX;
        for (int i = 0; i < 2; i++) {
            take(&lines[i], delay_ns);
            deliver(&lines[i]);
            if (lines[i].count > 0 && lines[i].frames[lines[i].first].due_ns < due_ns)
                due_ns = lines[i].frames[lines[i].first].due_ns;
        }
        int64_t wait_ns = due_ns == INT64_MAX ? 1000000000 : due_ns - now_ns();
        wait_ns = wait_ns < 0 ? 0 : wait_ns;
        struct timespec wait = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 };
        struct pollfd polled[] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
        if (ppoll(polled, 2, &wait, NULL) < 0 && errno != EINTR)
            fail("poll");
    }
}
