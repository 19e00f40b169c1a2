/* Logs in strace's notation where a process connects or sends to, for tests/test_no_network.py where strace cannot run.
 *
 * Loaded with LD_PRELOAD, so that child processes load it too. glibc's own name lookups do not pass through here, so
 * getaddrinfo is logged itself.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef RTLD_NEXT
#define RTLD_NEXT ((void *) -1L)
#endif

static void write_line(const char *line) {
    const char *path = getenv("CONNECTION_TRACE");
    int saved = errno, file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file >= 0) {
        if (write(file, line, strlen(line)) < 0)
            abort();
        close(file);
    }
    errno = saved;
}

static void log_address(const char *call, const struct sockaddr *address) {
    char line[256], host[INET6_ADDRSTRLEN] = "";
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *) address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(line, sizeof line, "%s({sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(\"%s\")})\n", call,
                 ntohs(four->sin_port), host);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *) address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(line, sizeof line, "%s({sa_family=AF_INET6, sin6_port=htons(%d), inet_pton(AF_INET6, \"%s\")})\n", call,
                 ntohs(six->sin6_port), host);
    } else if (address->sa_family == AF_UNIX || address->sa_family == AF_NETLINK || address->sa_family == AF_UNSPEC) {
        return;
    } else {
        snprintf(line, sizeof line, "%s({sa_family=%d})\n", call, address->sa_family);
    }
    write_line(line);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    log_address("connect", address);
    return next(descriptor, address, length);
}

ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
    log_address("sendto", address);
    return next(descriptor, data, size, flags, address, length);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
    log_address("sendmsg", message->msg_name);
    return next(descriptor, message, flags);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    char line[320];
    if (host != NULL) {
        snprintf(line, sizeof line, "getaddrinfo(\"%.255s\")\n", host);
        write_line(line);
    }
    return next(host, service, hints, result);
}
