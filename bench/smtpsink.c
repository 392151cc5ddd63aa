/* smtpsink: takes every message by SMTP, throws it away, and remembers when it came.
 *
 *   smtpsink [-h ADDRESS] [-p PORT]     (port 0, the default: the system chooses)
 *
 * Prints {"port": N} once it listens. Then it obeys lines on standard input and ends when that is closed:
 *   expect N     forget what has come so far, and print a report as soon as N further messages have
 *   report       print a report now
 *   dump FILE    write a line for each message since `expect`: local part of its (last) recipient, time of the first
 *                byte of its data, time of its end; then print a report
 * Times are seconds of CLOCK_MONOTONIC. It answers at once: no delay is simulated. A report is one line of JSON:
 * messages, connections ever, octets, how many messages began with a DKIM-Signature, time of the first byte of the
 * first message's data, and of the end of the first and the last message.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, NAME = 24 };

/* How much of CRLF "." CRLF has been seen. */
enum tail { INSIDE_LINE, AFTER_CR, LINE_START, AFTER_DOT, AFTER_DOT_CR };

/* DATA_BEGINS: 354 was said, no byte has come yet. */
enum mode { COMMANDS, DATA_BEGINS, DATA };

struct connection {
    int fd;
    enum mode mode;
    enum tail tail;
    double data_at;
    char recipient[NAME];
    char command[1024];
    size_t command_length;
    char out[4096];
    size_t out_length;
};

struct arrival { char recipient[NAME]; double data_at, end_at; };

static struct arrival *arrivals;
static long count, capacity, expected, connections, octets, signed_messages;
static int epoll;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void report(void) {
    struct arrival none = {0}, *first = count ? &arrivals[0] : &none, *last = count ? &arrivals[count - 1] : &none;
    printf("{\"messages\": %ld, \"connections\": %ld, \"octets\": %ld, \"signed\": %ld, \"first_data\": %.6f, "
           "\"first\": %.6f, \"last\": %.6f}\n",
           count, connections, octets, signed_messages, first->data_at, first->end_at, last->end_at);
    fflush(stdout);
}

static void dump(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return;
    }
    for (long i = 0; i < count; i++)
        fprintf(file, "%s %.6f %.6f\n", arrivals[i].recipient, arrivals[i].data_at, arrivals[i].end_at);
    fclose(file);
}

static void obey(char *line) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, "expect ", 7)) {
        expected = atol(line + 7);
        count = octets = signed_messages = 0;
        return;
    }
    if (!strncmp(line, "dump ", 5)) dump(line + 5);
    report();
}

/* ---- one connection ----------------------------------------------------------------------------------------- */

static void say(struct connection *c, const char *text) {
    size_t length = strlen(text);
    if (c->out_length + length > sizeof c->out) return; /* nobody pipelines that much without reading */
    memcpy(c->out + c->out_length, text, length);
    c->out_length += length;
}

/* Replies are short and the client reads them, so waiting for room is rare. -1: the client is gone. */
static int flush_out(struct connection *c) {
    size_t done = 0;
    while (done < c->out_length) {
        ssize_t n = send(c->fd, c->out + done, c->out_length - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = c->fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (n < 0) {
            return -1;
        } else {
            done += n;
        }
    }
    c->out_length = 0;
    return 0;
}

static void remember_recipient(struct connection *c, const char *command) {
    const char *start = strchr(command, '<');
    size_t length = start ? strcspn(start + 1, "@>") : 0;
    if (length >= NAME) length = NAME - 1;
    if (length) memcpy(c->recipient, start + 1, length);
    c->recipient[length] = 0;
}

/* -1: the client has said good-bye. */
static int on_command(struct connection *c, const char *command) {
    if (!strncasecmp(command, "EHLO", 4)) {
        say(c, "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
               "250 SIZE 52428800\r\n");
    } else if (!strncasecmp(command, "RCPT", 4)) {
        remember_recipient(c, command);
        say(c, "250 2.1.5 ok\r\n");
    } else if (!strncasecmp(command, "DATA", 4)) {
        say(c, "354 go\r\n");
        c->mode = DATA_BEGINS;
        c->tail = LINE_START;
    } else if (!strncasecmp(command, "QUIT", 4)) {
        say(c, "221 2.0.0 bye\r\n");
        flush_out(c);
        return -1;
    } else {
        say(c, "250 2.0.0 ok\r\n");
    }
    return 0;
}

/* What follows CRLF "." CRLF; NULL while the data goes on. */
static char *end_of_data(struct connection *c, char *at, char *end) {
    while (at < end) {
        if (c->tail == INSIDE_LINE) {
            char *cr = memchr(at, '\r', end - at);
            if (!cr) return NULL;
            at = cr + 1;
            c->tail = AFTER_CR;
            continue;
        }
        char octet = *at++;
        if (octet == '\r') {
            c->tail = c->tail == AFTER_DOT ? AFTER_DOT_CR : AFTER_CR;
        } else if (octet == '\n' && c->tail == AFTER_DOT_CR) {
            return at;
        } else if (octet == '\n' && c->tail == AFTER_CR) {
            c->tail = LINE_START;
        } else if (octet == '.' && c->tail == LINE_START) {
            c->tail = AFTER_DOT;
        } else {
            c->tail = INSIDE_LINE;
        }
    }
    return NULL;
}

static void arrived(struct connection *c) {
    if (count == capacity) {
        capacity = capacity ? capacity * 2 : 1 << 16;
        arrivals = realloc(arrivals, capacity * sizeof *arrivals);
    }
    struct arrival *arrival = &arrivals[count++];
    memcpy(arrival->recipient, c->recipient, NAME);
    arrival->data_at = c->data_at;
    arrival->end_at = now();
    if (count == expected) report();
}

static char *on_data(struct connection *c, char *at, char *end) {
    if (c->mode == DATA_BEGINS) {
        c->mode = DATA;
        c->data_at = now();
        if (end - at > 15 && !strncasecmp(at, "DKIM-Signature:", 15)) signed_messages++;
    }
    at = end_of_data(c, at, end);
    if (!at) return end;
    c->mode = COMMANDS;
    say(c, "250 2.0.0 taken\r\n");
    arrived(c);
    return at;
}

/* -1: the connection is to be closed. */
static int on_bytes(struct connection *c, char *at, char *end) {
    while (at < end) {
        if (c->mode != COMMANDS) {
            at = on_data(c, at, end);
            continue;
        }
        char *newline = memchr(at, '\n', end - at);
        size_t length = (newline ? newline : end) - at;
        if (c->command_length + length < sizeof c->command) {
            memcpy(c->command + c->command_length, at, length);
            c->command_length += length;
        }
        if (!newline) break;
        c->command[c->command_length] = 0;
        c->command_length = 0;
        at = newline + 1;
        if (on_command(c, c->command) < 0) return -1;
    }
    return c->out_length ? flush_out(c) : 0;
}

static void on_readable(struct connection *c) {
    static char buffer[262144];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) {
        octets += n;
        if (on_bytes(c, buffer, buffer + n) == 0) return;
    }
    close(c->fd);
    free(c);
}

/* ---- the listener --------------------------------------------------------------------------------------------- */

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        connections++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        say(c, "220 sink.test ESMTP\r\n");
        flush_out(c);
    }
}

static int listen_on(const char *host, int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    inet_aton(host, &address.sin_addr);
    if (bind(fd, (void *)&address, sizeof address) || listen(fd, 1024)) {
        perror("smtpsink: listen");
        exit(1);
    }
    getsockname(fd, (void *)&address, &length);
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void run(int listener) {
    static char listening, orders; /* what an event belongs to when it is no connection */
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.ptr = &listening};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &orders;
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            char line[1024];
            if (events[i].data.ptr == &listening) {
                accept_all(listener);
            } else if (events[i].data.ptr == &orders) {
                if (!fgets(line, sizeof line, stdin)) return;
                obey(line);
            } else {
                on_readable(events[i].data.ptr);
            }
        }
    }
}

int main(int words, char **word) {
    const char *host = "127.0.0.1";
    int port = 0, letter;
    while ((letter = getopt(words, word, "h:p:")) != -1) {
        if (letter == 'h') host = optarg;
        else if (letter == 'p') port = atoi(optarg);
        else return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0); /* so that epoll knows of every line that waits */
    epoll = epoll_create1(0);
    run(listen_on(host, port));
    return 0;
}
