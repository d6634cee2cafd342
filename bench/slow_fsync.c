/* Every fsync and fdatasync takes a millisecond more: disks of virtual machines often do not really flush.
   Preloaded into PostgreSQL for the second column of `./kanava bench`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static const useconds_t MICROSECONDS = 1000;

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    usleep(MICROSECONDS);
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    usleep(MICROSECONDS);
    return real(file);
}
