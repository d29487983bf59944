/* Tries to read and write files. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    static const char *const READ[] = {"/etc/passwd", "/etc/hostname", "/etc/resolv.conf", "/root/.ssh/id_rsa",
                                       "/lib/x86_64-linux-gnu/libc.so.6", "/tmp", "/", "/dev/mem", "/dev/urandom",
                                       "/proc/version", "/proc/1/cmdline", "/sys/kernel/hostname"};
    for (size_t i = 0; i < sizeof READ / sizeof READ[0]; i++) note(&worked, open(READ[i], O_RDONLY) >= 0, READ[i]);
    static const char *const WRITE[] = {"/tmp/tandem-hostile", "./plugin.json", "./new", "/dev/shm/new", "/var/tmp/new"};
    for (size_t i = 0; i < sizeof WRITE / sizeof WRITE[0]; i++) note(&worked, open(WRITE[i], O_WRONLY | O_CREAT, 0600) >= 0, WRITE[i]);
    note(&worked, unlink("./plugin.json") == 0, "unlink");
    note(&worked, rename("./plugin.json", "./other.json") == 0, "rename");
    note(&worked, mkdir("./folder", 0700) == 0, "mkdir");
    note(&worked, symlink("/etc/passwd", "./link") == 0, "symlink");
    note(&worked, chmod("./plugin.json", 0777) == 0, "chmod");
    note(&worked, truncate("./plugin.json", 0) == 0, "truncate");
    note(&worked, chroot("/") == 0, "chroot");
    note(&worked, dlopen("libssl.so.3", RTLD_NOW) != NULL, "dlopen");
    note(&worked, opendir("..") != NULL, "..");
    return answer_worked(instance, request->call, &worked);
}
