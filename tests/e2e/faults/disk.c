/* A disk with faults on demand, under the journal alone: loaded into the host before libc (LD_PRELOAD).
 *
 * The word in the file that CAMBIST_DISK_FAULT names is the fault of this moment; no word, no fault.
 *
 *   full        writes fail with ENOSPC
 *   read-only   writes, and opening to write, fail with EROFS
 *   sync-fails  a sync fails with EIO
 *   slow        a sync takes as long as the fault lasts
 *   write N     the host is killed before anything is written of its Nth append from then on
 *   torn N      it is killed when a part of that is written
 *   sync N      it is killed when all is written and nothing is synced
 *   synced N    it is killed when it is durable and nobody was told
 *
 * It fails calls as a kernel does; what a kernel then does with what it had in memory it does not imitate.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Reads the word; empty without one. */
static void read_word(char *word, size_t size)
{
    memset(word, 0, size);
    const char *file = getenv("CAMBIST_DISK_FAULT");
    if (file == NULL)
        return;
    int saved = errno, fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (syscall(SYS_read, fd, word, size - 1) < 0)
            word[0] = 0;
        syscall(SYS_close, fd);
    }
    errno = saved;
}

static int is(const char *fault)
{
    char word[16];
    read_word(word, sizeof word);
    return strcmp(word, fault) == 0;
}

/* Kills the host at the moment that the word names. The journal has one writer, so the count has no rival. */
static void moment(const char *name)
{
    static int passed = 0;
    char word[16], wanted[16];
    int number = 0;
    read_word(word, sizeof word);
    if (sscanf(word, "%15s %d", wanted, &number) == 2 && strcmp(wanted, name) == 0 && ++passed >= number)
        syscall(SYS_kill, getpid(), SIGKILL);
}

static int is_journal(int fd)
{
    char link[32], path[4096] = {0};
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    return length > 0 && strstr(path, "/journal.db") != NULL;
}

static int refused(int fd)
{
    if (!is_journal(fd))
        return 0;
    if (is("full"))
        errno = ENOSPC;
    else if (is("read-only"))
        errno = EROFS;
    else
        return 0;
    return 1;
}

/* Writes of the append that is not synced yet. */
static int written = 0;

static void writes(int fd)
{
    if (!is_journal(fd))
        return;
    if (written == 0)
        moment("write");
    else if (written == 1)
        moment("torn");
    written++;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    writes(fd);
    return refused(fd) ? -1 : syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    writes(fd);
    return refused(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite64(fd, bytes, length, at);
}

static int open_if(const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) != O_RDONLY && strstr(path, "/journal.db") != NULL && is("read-only")) {
        errno = EROFS;
        return -1;
    }
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define MODE(flags, mode)                                  \
    mode_t mode = 0;                                       \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                 \
        va_list rest;                                      \
        va_start(rest, flags);                             \
        mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                      \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_if(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_if(path, flags, mode);
}

static int synced(int fd, long call)
{
    if (is_journal(fd)) {
        while (is("slow"))
            usleep(50 * 1000);
        if (is("sync-fails")) {
            errno = EIO;
            return -1;
        }
        moment("sync");
    }
    int done = syscall(call, fd);
    if (is_journal(fd)) {
        written = 0;
        moment("synced");
    }
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
