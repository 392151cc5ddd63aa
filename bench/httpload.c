/* httpload: hands over messages by the HTTP API as fast as one thread can, and says how it went.
 *
 *   httpload -p PORT -n MESSAGES [-c CONNECTIONS] [-s OCTETS] [-k TOKEN] [-u PATH] [-f SENDER] [-r RECIPIENT]
 *            [-w SECONDS] [-v]
 *
 * Loopback only, HTTP/1.1 without TLS. Connections are kept; on each, a POST waits for the answer to the one before. A
 * status of 2xx counts as acknowledged. RECIPIENT is a printf format for the message's number. A body is JSON of about
 * OCTETS: sender, recipient, subject, a short text, html of words, and a tag. It comes from a pool of different bodies, so
 * that no two in a row are alike.
 *   -w     give up after so many seconds
 *   -v     show the first few answers that were not as hoped
 * Prints one line of JSON; its names are explained in report() below, and are those of smtpload.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "words.h"

enum { POOL = 256, EVENTS = 256, MOST_ERRORS = 1000, ANSWER = 16384 };

/* What a step says about its connection. */
enum { FAILED = -1, GOING_ON = 0 };

struct connection {
    int fd;                  /* -1: closed */
    int connecting, busy;    /* busy: a request is under way */
    char in[ANSWER];
    size_t in_length;
    char *out;
    size_t out_length, out_done;
    long number;             /* of the message under way */
};

/* Times of one message, by its number: first and last octet of its request written, its answer read. */
struct times { double begun, sent, acknowledged; };

static struct {
    const char *token, *path, *sender, *recipient;
    int port, connections, size, verbose;
    long messages;
    double give_up;
} option = {.token = "", .path = "/v1/email", .sender = "bench@example.test", .recipient = "user%08ld@sink.test",
            .port = 8025, .connections = 32, .size = 2048, .messages = 10000, .give_up = 300};

static struct connection *connections;
static struct body pool[POOL];
static struct times *times;
static struct sockaddr_in server;
static int epoll, alive;
static long begun, acknowledged, errors, opened;
static double started, last_acknowledged;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void complain(const char *about) {
    static int shown;
    if (option.verbose && shown++ < 10) fprintf(stderr, "%.400s\n", about);
}

/* ---- bodies -------------------------------------------------------------------------------------------------- */

/* One line of words, without its end. */
static size_t words(char *at) { return text_line(at) - 2; }

/* What follows the recipient in a body. */
static void make_rest(struct body *rest) {
    char *text = rest->text = malloc(option.size + 2048);
    size_t length = sprintf(text, "\"}],\"subject\":\"Your order has been shipped\",\"tags\":[\"receipt\"],\"text\":\"");
    length += words(text + length);
    length += sprintf(text + length, "\",\"html\":\"");
    while (length + 180 < (size_t)option.size) {
        length += sprintf(text + length, "<p>");
        length += words(text + length);
        length += sprintf(text + length, "</p>\\n");
    }
    rest->length = length + sprintf(text + length, "\"}");
}

static void make_request(struct connection *c) {
    char start[512], recipient[256];
    struct body *rest = &pool[random() % POOL];
    snprintf(recipient, sizeof recipient, option.recipient, c->number);
    int length = snprintf(start, sizeof start,
                          "{\"from\":{\"email\":\"%s\",\"name\":\"Bench Shop\"},\"to\":[{\"name\":\"A Person\",\"email\":\"%s",
                          option.sender, recipient);
    c->out_length = sprintf(c->out,
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: httpload\r\nAccept: application/json\r\n"
                            "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            option.path, option.port, option.token, length + rest->length);
    memcpy(c->out + c->out_length, start, length);
    memcpy(c->out + c->out_length + length, rest->text, rest->length);
    c->out_length += length + rest->length;
    c->out_done = 0;
}

/* ---- connections --------------------------------------------------------------------------------------------- */

static void watch(struct connection *c, int write) {
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void close_connection(struct connection *c);

static void open_connection(struct connection *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->in_length = c->out_length = c->out_done = 0;
    c->connecting = 1;
    c->busy = 0;
    alive++;
    opened++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    if (connect(c->fd, (void *)&server, sizeof server) < 0 && errno != EINPROGRESS) close_connection(c);
}

/* In order if nothing was under way. The next one takes its place while there are messages. */
static void close_connection(struct connection *c) {
    if (c->busy || c->connecting) errors++;
    close(c->fd);
    c->fd = -1;
    alive--;
    if (begun < option.messages && errors < MOST_ERRORS) open_connection(c);
}

static int flush_out(struct connection *c) {
    while (c->out_done < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->out_done, c->out_length - c->out_done, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return FAILED;
        if (n < 0) {
            watch(c, 1);
            return GOING_ON;
        }
        c->out_done += n;
    }
    times[c->number].sent = now();
    return GOING_ON;
}

/* FAILED also says that nothing is left to do. */
static int begin_message(struct connection *c) {
    c->busy = 0;
    if (begun >= option.messages || errors >= MOST_ERRORS) return FAILED;
    c->busy = 1;
    c->number = begun++;
    make_request(c);
    times[c->number].begun = now();
    return flush_out(c);
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

/* The value of a header field between `head` and its end, NULL if there is none. */
static const char *field(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':') return line + length + 1;
    }
    return NULL;
}

/* Octets of the answer that is in `in` from its first to its last; 0: not all of it is here; FAILED: cannot be read. */
static long whole_answer(struct connection *c) {
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return c->in_length < ANSWER - 1 ? 0 : FAILED;
    end[2] = 0; /* so that `field` ends there */
    const char *length = field(c->in, "content-length");
    end[2] = '\r';
    if (!length) return FAILED;
    long size = end + 4 - c->in + atol(length);
    if (size >= ANSWER) return FAILED;
    return size <= (long)c->in_length ? size : 0;
}

static int on_answer(struct connection *c) {
    if (strncmp(c->in, "HTTP/1.1 2", 10)) {
        complain(c->in);
        errors++;
    } else {
        last_acknowledged = times[c->number].acknowledged = now();
        acknowledged++;
    }
    return begin_message(c);
}

static int on_readable(struct connection *c) {
    for (;;) {
        ssize_t n = recv(c->fd, c->in + c->in_length, ANSWER - 1 - c->in_length, 0);
        if (n < 0 && errno == EAGAIN) return GOING_ON;
        if (n <= 0) {
            complain("the server closed the connection");
            return FAILED;
        }
        c->in_length += n;
        c->in[c->in_length] = 0;
        long size = whole_answer(c);
        if (size == FAILED || (size && size != (long)c->in_length)) {
            complain(c->in);
            return FAILED;
        }
        if (!size) continue;
        c->in_length = 0;
        return on_answer(c); /* nobody sends before we ask again */
    }
}

static int on_event(struct connection *c, unsigned events) {
    if (c->connecting) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error) {
            complain(strerror(error));
            return FAILED;
        }
        c->connecting = 0;
        watch(c, 0);
        return begin_message(c);
    }
    if (events & EPOLLOUT) {
        watch(c, 0);
        if (flush_out(c) == FAILED) return FAILED;
    }
    return events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? on_readable(c) : GOING_ON;
}

static void run(void) {
    struct epoll_event events[EVENTS];
    started = now();
    for (int i = 0; i < option.connections; i++) open_connection(&connections[i]);
    while (alive && now() - started < option.give_up) {
        int n = epoll_wait(epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->fd >= 0 && on_event(c, events[i].events) == FAILED) close_connection(c);
        }
    }
}

/* ---- what came of it ------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(const double *sorted, double quantile) {
    return acknowledged ? sorted[(long)((acknowledged - 1) * quantile)] * 1e3 : 0;
}

static void report(void) {
    double *ack = calloc(acknowledged + 1, sizeof *ack);
    long count = 0;
    for (long i = 0; i < option.messages; i++)
        if (times[i].acknowledged) ack[count++] = times[i].acknowledged - times[i].sent;
    qsort(ack, count, sizeof *ack, ascending);
    double seconds = (last_acknowledged ? last_acknowledged : now()) - started;
    long missing = option.messages - acknowledged;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    /* seconds: first connect to last answer; ack: last octet of a request to its answer;
     * errors: connections that broke or messages that were not acknowledged, whichever is more */
    printf("{\"acknowledged\": %ld, \"started\": %.6f, \"seconds\": %.4f, \"rate\": %.1f, \"ack_p50_ms\": %.3f, "
           "\"ack_p99_ms\": %.3f, \"ack_max_ms\": %.3f, \"errors\": %ld, \"connections\": %ld, \"generator_cpu\": %.3f}\n",
           acknowledged, started, seconds, acknowledged / seconds, milliseconds(ack, .5), milliseconds(ack, .99),
           milliseconds(ack, 1), errors > missing ? errors : missing, opened, cpu);
}

static void read_options(int count, char **words) {
    int letter;
    while ((letter = getopt(count, words, "p:n:c:s:k:u:f:r:w:v")) != -1) {
        switch (letter) {
        case 'p': option.port = atoi(optarg); break;
        case 'n': option.messages = atol(optarg); break;
        case 'c': option.connections = atoi(optarg); break;
        case 's': option.size = atoi(optarg); break;
        case 'k': option.token = optarg; break;
        case 'u': option.path = optarg; break;
        case 'f': option.sender = optarg; break;
        case 'r': option.recipient = optarg; break;
        case 'w': option.give_up = atof(optarg); break;
        case 'v': option.verbose = 1; break;
        default: exit(2);
        }
    }
}

int main(int count, char **words) {
    unsigned seed;
    read_options(count, words);
    signal(SIGPIPE, SIG_IGN);
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed) srandom(seed);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(option.port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < POOL; i++) make_rest(&pool[i]);
    times = calloc(option.messages + 1, sizeof *times);
    connections = calloc(option.connections, sizeof *connections);
    for (int i = 0; i < option.connections; i++) connections[i].out = malloc(option.size + 8192);
    epoll = epoll_create1(0);
    run();
    report();
    return 0;
}
