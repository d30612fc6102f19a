/* A disk that remembers and misbehaves: preloaded before a program, it sees every call that changes files below one
 * folder, writes it into a trace, and makes it fail, stall, stop short or kill the process when it is told to.
 *
 *   TSQ_DISK_FOLDER   the folder, absolute, without a final slash
 *   TSQ_DISK_CONTROL  file of 64-bit integers, shared with the test (see `enum control`), read at every call
 *   TSQ_DISK_TRACE    file that the trace is appended to; without it nothing is recorded
 *   TSQ_DISK_MARK     path; what is written to a file opened under it becomes a mark in the trace and goes nowhere
 *
 * What changes a file or a name is done and recorded under one lock, so that the trace has the order of the disk.
 * A sync is recorded when it begins and when it has returned: only what was written before it began is durable.
 * Reads are seen, never recorded. Mapped memory is not seen: a shared writable mapping is recorded as such.
 * Nothing here is async-signal-safe; a child after fork goes on with the same trace and the same control.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, OPEN = 4, NAME = 8, SIZE = 16, READ = 32 };

enum control {
    CALLS,      /* how many calls of the counted classes there were; the library counts */
    COUNTED,    /* classes that are counted */
    KILL_AT,    /* at the call of this number the process kills itself; 0: never */
    KILL_MODE,  /* 0: before it is done, 1: half of a write is done, 2: after */
    FAIL_AT,    /* calls from this number on fail; 0: never */
    FAIL_COUNT, /* so many of them */
    FAIL_ERRNO, /* with this error; 0: a write stops short */
    FAIL_MASK,  /* only calls of these classes fail */
    STALL_MASK, /* calls of these classes hang as long as this is so */
    STALLED,    /* how many calls hang now; the library counts */
    LIMITED,    /* 1: there is room for ROOM bytes only */
    ROOM,       /* bytes left; the library counts */
    FAILED,     /* how many calls were made to fail; the library counts */
    FIELDS
};

struct record { /* followed by `first` and `second` bytes: paths or data */
    uint8_t what;
    uint8_t made;
    uint16_t error;
    int32_t handle;
    int64_t a, b;
    uint32_t first, second;
};

#define HANDLES 65536
static struct { int32_t handle; uint8_t mark, append; } opened[HANDLES];
static _Atomic int32_t next_handle = 1;
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t nothing[FIELDS];
static _Atomic int64_t *control = nothing;
static char folder[PATH_MAX], mark_path[PATH_MAX];
static size_t folder_length;
static int trace = -1;

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    static void find_##name(void) { if (!real_##name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name); }

REAL(int, open64, const char *, int, ...)
REAL(int, openat64, int, const char *, int, ...)
REAL(int, close, int)
REAL(int, dup, int)
REAL(int, dup2, int, int)
REAL(int, dup3, int, int, int)
REAL(ssize_t, read, int, void *, size_t)
REAL(ssize_t, pread64, int, void *, size_t, off64_t)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
REAL(ssize_t, writev, int, const struct iovec *, int)
REAL(ssize_t, pwritev64v2, int, const struct iovec *, int, off64_t, int)
REAL(ssize_t, sendfile64, int, int, off64_t *, size_t)
REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned)
REAL(int, ftruncate64, int, off64_t)
REAL(int, truncate64, const char *, off64_t)
REAL(int, fallocate64, int, int, off64_t, off64_t)
REAL(int, posix_fallocate64, int, off64_t, off64_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, rename, const char *, const char *)
REAL(int, renameat, int, const char *, int, const char *)
REAL(int, unlink, const char *)
REAL(int, unlinkat, int, const char *, int)
REAL(int, rmdir, const char *)
REAL(int, mkdir, const char *, mode_t)
REAL(int, mkdirat, int, const char *, mode_t)
REAL(int, link, const char *, const char *)
REAL(int, symlink, const char *, const char *)
REAL(void *, mmap64, void *, size_t, int, int, int, off64_t)
REAL(int, statvfs64, const char *, struct statvfs64 *)
REAL(int, fstatvfs64, int, struct statvfs64 *)

static void find_all(void)
{
    find_open64(); find_openat64(); find_close(); find_dup(); find_dup2(); find_dup3(); find_read();
    find_pread64(); find_write(); find_pwrite64(); find_writev(); find_pwritev64v2(); find_sendfile64();
    find_copy_file_range(); find_ftruncate64(); find_truncate64(); find_fallocate64(); find_posix_fallocate64();
    find_fsync(); find_fdatasync(); find_rename(); find_renameat(); find_unlink(); find_unlinkat(); find_rmdir();
    find_mkdir(); find_mkdirat(); find_link(); find_symlink(); find_mmap64(); find_statvfs64(); find_fstatvfs64();
}

static void quit(const char *why)
{
    fprintf(stderr, "disk.c: %s\n", why);
    _exit(125);
}

static void begin(void)
{
    static _Atomic int done;
    if (done)
        return;
    done = 1;
    find_all();
    const char *text = getenv("TSQ_DISK_FOLDER");
    if (!text)
        return;
    snprintf(folder, sizeof folder, "%s", text);
    folder_length = strlen(folder);
    if ((text = getenv("TSQ_DISK_MARK")))
        snprintf(mark_path, sizeof mark_path, "%s", text);
    if ((text = getenv("TSQ_DISK_TRACE"))
        && (trace = real_open64(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        quit("the trace cannot be opened");
    if ((text = getenv("TSQ_DISK_CONTROL"))) {
        int fd = real_open64(text, O_RDWR | O_CLOEXEC);
        void *at = fd < 0 ? MAP_FAILED
                          : real_mmap64(NULL, FIELDS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            quit("the control file cannot be mapped");
        control = at;
        real_close(fd);
    }
}

__attribute__((constructor)) static void constructor(void) { begin(); }

/* Paths */

static const char *absolute(int at, const char *path, char *out)
{
    char base[PATH_MAX] = "";
    if (path[0] != '/') {
        if (at == AT_FDCWD) {
            if (!getcwd(base, sizeof base))
                return path;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            ssize_t n = readlink(link, base, sizeof base - 1);
            base[n < 0 ? 0 : n] = 0;
        }
    }
    size_t n = 0;
    for (const char *s = base; *s && n < PATH_MAX - 2; s++)
        out[n++] = *s;
    if (base[0])
        out[n++] = '/';
    for (const char *s = path; *s && n < PATH_MAX - 1; s++)
        out[n++] = *s;
    while (n > 1 && out[n - 1] == '/')
        n--;
    out[n] = 0;
    return out;
}

static int inside(const char *path)
{
    return folder_length && strncmp(path, folder, folder_length) == 0
        && (path[folder_length] == 0 || path[folder_length] == '/');
}

static int32_t handle_of(int fd) { return fd >= 0 && fd < HANDLES && !opened[fd].mark ? opened[fd].handle : 0; }

/* The trace */

static void record(char what, int made, int error, int32_t handle, int64_t a, int64_t b, const void *first,
                   size_t n_first, const void *second, size_t n_second)
{
    if (trace < 0)
        return;
    struct record head = {(uint8_t)what, (uint8_t)made, (uint16_t)error, handle, a, b, (uint32_t)n_first,
                          (uint32_t)n_second};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)(uintptr_t)first, n_first},
                             {(void *)(uintptr_t)second, n_second}};
    int saved = errno;
    if (real_writev(trace, parts, 3) != (ssize_t)(sizeof head + n_first + n_second))
        quit("the trace cannot be written");
    errno = saved;
}

/* What becomes of a call */

struct fate { int error, half, kill_after; };

static struct fate fate(int class)
{
    struct fate out = {0, 0, 0};
    if (control[STALL_MASK] & class) {
        struct timespec pause = {0, 5000000};
        control[STALLED]++;
        while (control[STALL_MASK] & class)
            nanosleep(&pause, NULL);
        control[STALLED]--;
    }
    if (!(control[COUNTED] & class))
        return out;
    int64_t number = ++control[CALLS];
    if (number == control[KILL_AT]) {
        if (control[KILL_MODE] == 0 || (control[KILL_MODE] == 1 && class != WRITE)) {
            kill(getpid(), SIGKILL);
            pause();
        }
        out.half = control[KILL_MODE] == 1;
        out.kill_after = 1;
    }
    if (control[FAIL_AT] && number >= control[FAIL_AT] && number < control[FAIL_AT] + control[FAIL_COUNT]
        && (control[FAIL_MASK] & class)) {
        control[FAILED]++;
        out.error = (int)control[FAIL_ERRNO];
        out.half |= out.error == 0;
    }
    return out;
}

static void after(struct fate f)
{
    if (f.kill_after) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

static int64_t pages(int64_t bytes) { return (bytes + 4095) / 4096 * 4096; }

/* Take what a file grows by from the room that is left; false when there is none. Called under the lock. */
static int room_for(int fd, int64_t size)
{
    struct stat64 now;
    if (!control[LIMITED] || fstat64(fd, &now))
        return 1;
    int64_t growth = pages(size) - pages(now.st_size);
    if (growth <= 0)
        return 1;
    if (growth > control[ROOM])
        return 0;
    control[ROOM] -= growth;
    return 1;
}

static void give_room(int64_t before, int64_t now)
{
    if (control[LIMITED] && pages(before) > pages(now))
        control[ROOM] += pages(before) - pages(now);
}

/* Opening */

static int opening(int at, const char *path, int flags, mode_t mode)
{
    begin();
    char full[PATH_MAX];
    absolute(at, path, full);
    int is_mark = mark_path[0] && strcmp(full, mark_path) == 0;
    if (is_mark)
        return ({ int fd = real_open64("/dev/null", O_WRONLY | (flags & O_CLOEXEC));
                  if (fd >= 0 && fd < HANDLES) opened[fd].mark = 1, opened[fd].handle = 0;
                  fd; });
    if (!inside(full))
        return real_openat64(at, path, flags, mode);
    int changes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    struct fate f = changes ? fate(OPEN) : fate(READ);
    if (f.error) {
        errno = f.error;
        return -1;
    }
    pthread_mutex_lock(&disk);
    struct stat64 before;
    int existed = stat64(full, &before) == 0;
    int fd = -1;
    if (!existed && (flags & O_CREAT) && control[LIMITED] && control[ROOM] < 4096)
        errno = ENOSPC;
    else
        fd = real_openat64(at, path, flags, mode);
    if (fd >= HANDLES)
        quit("too many files are open");
    if (fd >= 0) {
        int32_t handle = next_handle++;
        opened[fd].handle = handle;
        opened[fd].mark = 0;
        opened[fd].append = (flags & O_APPEND) != 0;
        if (existed && (flags & O_TRUNC))
            give_room(before.st_size, 0);
        record('o', !existed, 0, handle, flags & O_TRUNC ? 1 : 0, 0, full, strlen(full), NULL, 0);
    }
    pthread_mutex_unlock(&disk);
    after(f);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opening(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return opening(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return opening(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd)
{
    begin();
    if (fd >= 0 && fd < HANDLES)
        opened[fd].handle = 0, opened[fd].mark = 0;
    return real_close(fd);
}

static int copied(int from, int to)
{
    if (to >= 0 && to < HANDLES && from >= 0 && from < HANDLES)
        opened[to] = opened[from];
    return to;
}

int dup(int fd) { begin(); return copied(fd, real_dup(fd)); }
int dup2(int fd, int to) { begin(); return copied(fd, real_dup2(fd, to)); }
int dup3(int fd, int to, int flags) { begin(); return copied(fd, real_dup3(fd, to, flags)); }

/* Reading */

ssize_t read(int fd, void *data, size_t n)
{
    begin();
    struct fate f = handle_of(fd) ? fate(READ) : (struct fate){0, 0, 0};
    if (f.error) { errno = f.error; return -1; }
    return real_read(fd, data, f.half && n > 1 ? n / 2 : n);
}

ssize_t pread64(int fd, void *data, size_t n, off64_t at)
{
    begin();
    struct fate f = handle_of(fd) ? fate(READ) : (struct fate){0, 0, 0};
    if (f.error) { errno = f.error; return -1; }
    return real_pread64(fd, data, f.half && n > 1 ? n / 2 : n, at);
}
ssize_t pread(int fd, void *data, size_t n, off_t at) { return pread64(fd, data, n, at); }

/* Writing; `at` is -1 for where the file stands */

static ssize_t writing(int fd, const void *data, size_t n, off64_t at)
{
    begin();
    if (fd >= 0 && fd < HANDLES && opened[fd].mark) {
        pthread_mutex_lock(&disk);
        record('m', 0, 0, 0, 0, 0, data, n, NULL, 0);
        pthread_mutex_unlock(&disk);
        return (ssize_t)n;
    }
    int32_t handle = handle_of(fd);
    if (!handle)
        return at < 0 ? real_write(fd, data, n) : real_pwrite64(fd, data, n, at);
    struct fate f = fate(WRITE);
    if (f.error) {
        errno = f.error;
        return -1;
    }
    if (f.half && n > 1)
        n /= 2;
    pthread_mutex_lock(&disk);
    struct stat64 now;
    off64_t where = at >= 0 && !opened[fd].append ? at : opened[fd].append && !fstat64(fd, &now) ? now.st_size
                                                                                       : lseek64(fd, 0, SEEK_CUR);
    ssize_t done = -1;
    if (!room_for(fd, where + (int64_t)n))
        errno = ENOSPC;
    else
        done = at < 0 ? real_write(fd, data, n) : real_pwrite64(fd, data, n, at);
    if (done > 0)
        record('w', 0, 0, handle, where, 0, data, (size_t)done, NULL, 0);
    pthread_mutex_unlock(&disk);
    after(f);
    return done;
}

ssize_t write(int fd, const void *data, size_t n) { return writing(fd, data, n, -1); }
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) { return writing(fd, data, n, at); }
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return writing(fd, data, n, at); }

/* A list is written part by part, so that it can stop anywhere, as it may. */
static ssize_t writing_list(int fd, const struct iovec *parts, int n, off64_t at)
{
    ssize_t done = 0;
    for (int i = 0; i < n; i++) {
        if (!parts[i].iov_len)
            continue;
        ssize_t now = writing(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? -1 : at + done);
        if (now < 0)
            return done ? done : -1;
        done += now;
        if ((size_t)now < parts[i].iov_len)
            break;
    }
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    begin();
    return handle_of(fd) ? writing_list(fd, parts, n, -1) : real_writev(fd, parts, n);
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int n, off64_t at, int flags)
{
    begin();
    return handle_of(fd) ? writing_list(fd, parts, n, at) : real_pwritev64v2(fd, parts, n, at, flags);
}
ssize_t pwritev2(int fd, const struct iovec *parts, int n, off_t at, int flags)
{
    return pwritev64v2(fd, parts, n, at, flags);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t at) { return pwritev64v2(fd, parts, n, at, 0); }
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) { return pwritev64v2(fd, parts, n, at, 0); }

/* What copies inside the kernel would not be seen: the caller falls back to reading and writing. */
ssize_t sendfile64(int out, int in, off64_t *at, size_t n)
{
    begin();
    if (handle_of(out)) { errno = ENOTSOCK; return -1; }
    return real_sendfile64(out, in, at, n);
}
ssize_t sendfile(int out, int in, off_t *at, size_t n) { return sendfile64(out, in, at, n); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
    begin();
    if (handle_of(out)) { errno = EOPNOTSUPP; return -1; }
    return real_copy_file_range(in, from, out, to, n, flags);
}

/* Size */

int ftruncate64(int fd, off64_t size)
{
    begin();
    int32_t handle = handle_of(fd);
    if (!handle)
        return real_ftruncate64(fd, size);
    struct fate f = fate(SIZE);
    if (f.error) { errno = f.error; return -1; }
    pthread_mutex_lock(&disk);
    struct stat64 before = {0};
    fstat64(fd, &before);
    int result = real_ftruncate64(fd, size);
    if (result == 0) {
        give_room(before.st_size, size);
        record('t', 0, 0, handle, size, 0, NULL, 0, NULL, 0);
    }
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int truncate64(const char *path, off64_t size)
{
    int fd = open64(path, O_WRONLY);
    if (fd < 0)
        return -1;
    int result = ftruncate64(fd, size);
    close(fd);
    return result;
}
int truncate(const char *path, off_t size) { return truncate64(path, size); }

static int allocating(int fd, int mode, off64_t at, off64_t n)
{
    int32_t handle = handle_of(fd);
    struct fate f = fate(SIZE);
    if (f.error)
        return f.error;
    pthread_mutex_lock(&disk);
    int result = 0;
    if (!room_for(fd, at + n))
        result = ENOSPC;
    else if (mode) { /* keep the size, punch a hole: nothing of ours does it, and it is not recorded */
        if (real_fallocate64(fd, mode, at, n))
            result = errno;
        record('?', 0, 0, handle, at, n, "fallocate", 9, NULL, 0);
    } else if ((result = real_posix_fallocate64(fd, at, n)) == 0)
        record('a', 0, 0, handle, at + n, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}

int fallocate64(int fd, int mode, off64_t at, off64_t n)
{
    begin();
    if (!handle_of(fd))
        return real_fallocate64(fd, mode, at, n);
    int error = allocating(fd, mode, at, n);
    if (error)
        errno = error;
    return error ? -1 : 0;
}
int fallocate(int fd, int mode, off_t at, off_t n) { return fallocate64(fd, mode, at, n); }

int posix_fallocate64(int fd, off64_t at, off64_t n)
{
    begin();
    return handle_of(fd) ? allocating(fd, 0, at, n) : real_posix_fallocate64(fd, at, n);
}
int posix_fallocate(int fd, off_t at, off_t n) { return posix_fallocate64(fd, at, n); }

/* Syncing; one that fails leaves its pages clean and unwritten, which the trace says with 'f' */

static int syncing(int fd, int (*real)(int))
{
    int32_t handle = handle_of(fd);
    if (!handle)
        return real(fd);
    struct fate f = fate(SYNC);
    pthread_mutex_lock(&disk);
    record('s', 0, 0, handle, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&disk);
    int result = f.error ? -1 : real(fd);
    int error = f.error ? f.error : errno;
    pthread_mutex_lock(&disk);
    record(result ? 'f' : 'd', 0, result ? error : 0, handle, 0, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&disk);
    after(f);
    errno = error;
    return result;
}

int fsync(int fd) { begin(); return syncing(fd, real_fsync); }
int fdatasync(int fd) { begin(); return syncing(fd, real_fdatasync); }

/* Names */

static int renaming(int from, const char *old, int to, const char *new)
{
    begin();
    char a[PATH_MAX], b[PATH_MAX];
    absolute(from, old, a);
    absolute(to, new, b);
    if (!inside(a) && !inside(b))
        return real_renameat(from, old, to, new);
    struct fate f = fate(NAME);
    if (f.error) { errno = f.error; return -1; }
    pthread_mutex_lock(&disk);
    struct stat64 over;
    int64_t freed = stat64(b, &over) == 0 && over.st_nlink == 1 ? over.st_size : 0;
    int result = real_renameat(from, old, to, new);
    if (result == 0) {
        give_room(freed, 0);
        record('r', 0, 0, 0, 0, 0, a, strlen(a), b, strlen(b));
    }
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}
int rename(const char *old, const char *new) { return renaming(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int from, const char *old, int to, const char *new) { return renaming(from, old, to, new); }

static int unlinking(int at, const char *path, int flags)
{
    begin();
    char full[PATH_MAX];
    absolute(at, path, full);
    if (!inside(full))
        return real_unlinkat(at, path, flags);
    struct fate f = fate(NAME);
    if (f.error) { errno = f.error; return -1; }
    pthread_mutex_lock(&disk);
    struct stat64 gone;
    int64_t freed = lstat64(full, &gone) == 0 && gone.st_nlink == 1 ? gone.st_size : 0;
    int result = real_unlinkat(at, path, flags);
    if (result == 0) {
        give_room(freed, 0);
        record('u', 0, 0, 0, 0, 0, full, strlen(full), NULL, 0);
    }
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}
int unlink(const char *path) { return unlinking(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlinking(at, path, flags); }
int rmdir(const char *path) { return unlinking(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path)
{
    struct stat64 what;
    return lstat64(path, &what) ? -1 : S_ISDIR(what.st_mode) ? rmdir(path) : unlink(path);
}

static int making(int at, const char *path, mode_t mode)
{
    begin();
    char full[PATH_MAX];
    absolute(at, path, full);
    if (!inside(full))
        return real_mkdirat(at, path, mode);
    struct fate f = fate(NAME);
    if (f.error) { errno = f.error; return -1; }
    pthread_mutex_lock(&disk);
    int result = real_mkdirat(at, path, mode);
    if (result == 0)
        record('k', 0, 0, 0, 0, 0, full, strlen(full), NULL, 0);
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}
int mkdir(const char *path, mode_t mode) { return making(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return making(at, path, mode); }

int link(const char *old, const char *new)
{
    begin();
    char a[PATH_MAX], b[PATH_MAX];
    absolute(AT_FDCWD, old, a);
    absolute(AT_FDCWD, new, b);
    if (!inside(a) && !inside(b))
        return real_link(old, new);
    struct fate f = fate(NAME);
    if (f.error) { errno = f.error; return -1; }
    pthread_mutex_lock(&disk);
    int result = real_link(old, new);
    if (result == 0)
        record('l', 0, 0, 0, 0, 0, a, strlen(a), b, strlen(b));
    pthread_mutex_unlock(&disk);
    after(f);
    return result;
}

int symlink(const char *target, const char *path)
{
    begin();
    char full[PATH_MAX];
    absolute(AT_FDCWD, path, full);
    int result = real_symlink(target, path);
    if (result == 0 && inside(full))
        record('?', 0, 0, 0, 0, 0, "symlink", 7, NULL, 0);
    return result;
}

/* What cannot be followed, and room */

void *mmap64(void *near, size_t n, int protection, int flags, int fd, off64_t at)
{
    begin();
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE) && handle_of(fd)) {
        pthread_mutex_lock(&disk);
        record('x', 0, 0, handle_of(fd), at, (int64_t)n, NULL, 0, NULL, 0);
        pthread_mutex_unlock(&disk);
    }
    return real_mmap64(near, n, protection, flags, fd, at);
}
void *mmap(void *near, size_t n, int protection, int flags, int fd, off_t at)
{
    return mmap64(near, n, protection, flags, fd, at);
}

static void limited(struct statvfs64 *found)
{
    if (!control[LIMITED])
        return;
    fsblkcnt64_t left = (fsblkcnt64_t)control[ROOM] / found->f_frsize;
    if (found->f_bavail > left)
        found->f_bavail = found->f_bfree = left;
}

int statvfs64(const char *path, struct statvfs64 *found)
{
    begin();
    char full[PATH_MAX];
    int result = real_statvfs64(path, found);
    if (result == 0 && inside(absolute(AT_FDCWD, path, full)))
        limited(found);
    return result;
}
int statvfs(const char *path, struct statvfs *found) { return statvfs64(path, (struct statvfs64 *)found); }

int fstatvfs64(int fd, struct statvfs64 *found)
{
    begin();
    int result = real_fstatvfs64(fd, found);
    if (result == 0 && handle_of(fd))
        limited(found);
    return result;
}
int fstatvfs(int fd, struct statvfs *found) { return fstatvfs64(fd, (struct statvfs64 *)found); }
