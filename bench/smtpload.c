/* smtpload: hands over messages by SMTP as fast as one thread can, or at a steady pace, and says how it went.
 *
 *   smtpload -p PORT -n MESSAGES [-c CONNECTIONS] [-m MESSAGES PER CONNECTION] [-s OCTETS] [-x]
 *            [-t none|starttls|implicit] [-a USER:PASSWORD] [-f SENDER] [-r RECIPIENT] [-i MILLISECONDS]
 *            [-w SECONDS] [-l FILE] [-v]
 *
 * Loopback only. MAIL, RCPT and DATA each wait for their reply. RECIPIENT is a printf format for the message's number.
 * A message is OCTETS long: a short text and one part of random base64, which hardly compresses; -x makes it all text.
 * It comes from a pool of different bodies, so that no two in a row are alike, under a Message-ID of its own.
 *   -m 0   keep connections for as long as there are messages (the default)
 *   -i     start a message every so many milliseconds, instead of as soon as the last one is acknowledged
 *   -w     give up after so many seconds
 *   -l     write a line for each acknowledged message: number, time of its last byte written, time of its 250 read
 *   -v     show the first few replies that were not as hoped
 * Times are seconds of CLOCK_MONOTONIC. Prints one line of JSON; its names are explained in report() below.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bodies.h"

enum { POOL = 256, EVENTS = 256, MOST_ERRORS = 1000 };

enum state { CONNECTING, BANNER, EHLO, STARTTLS, HANDSHAKE, AUTH, PARKED, MAIL, RCPT, DATA, ACK, QUIT, CLOSED };

/* What a step says about its connection. */
enum { FAILED = -1, GOING_ON = 0, GONE = 1 };

struct connection {
    int fd;
    enum state state;
    int wants_write;         /* as epoll was told */
    int inside_tls;
    SSL *ssl;
    char in[8192];
    size_t in_length;
    char *out;
    size_t out_length, out_done, out_capacity;
    int sent;                /* messages begun on this connection */
    long number;             /* of the message under way */
};

/* Times of one message, by its number. */
struct times { double begun, sent, acknowledged; };

static struct {
    const char *tls, *login, *sender, *recipient, *log;
    int port, connections, per_connection, size, text_only, verbose;
    long messages;
    double interval, give_up;
} option = {.tls = "none", .sender = "bench@example.test", .recipient = "user%ld@sink.test", .port = 2525,
            .connections = 20, .size = 10240, .messages = 10000, .give_up = 300};

static struct connection *connections;
static struct body pool[POOL];
static struct times *times;
static struct sockaddr_in server;
static char auth_command[1024];
static SSL_CTX *tls_context;
static int epoll, alive;
static long begun, acknowledged, errors, opened, handshakes;
static double started, last_acknowledged, next_slot;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- bytes out --------------------------------------------------------------------------------------------- */

static void watch(struct connection *c, int write) {
    if (c->wants_write == write) return;
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->wants_write = write;
}

static void put(struct connection *c, const char *data, size_t length) {
    if (c->out_length + length > c->out_capacity) {
        c->out_capacity = (c->out_length + length) * 2;
        c->out = realloc(c->out, c->out_capacity);
    }
    memcpy(c->out + c->out_length, data, length);
    c->out_length += length;
}

static void put_text(struct connection *c, const char *text) { put(c, text, strlen(text)); }

/* How many octets were written; 0: later, FAILED: never. */
static int write_some(struct connection *c, const char *data, size_t length) {
    int n;
    if (!c->ssl) {
        n = send(c->fd, data, length, MSG_NOSIGNAL);
        if (n >= 0) return n;
        if (errno != EAGAIN) return FAILED;
        watch(c, 1);
        return 0;
    }
    n = SSL_write(c->ssl, data, length);
    if (n > 0) return n;
    int error = SSL_get_error(c->ssl, n);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return FAILED;
    watch(c, error == SSL_ERROR_WANT_WRITE);
    return 0;
}

static int flush_out(struct connection *c) {
    while (c->out_done < c->out_length) {
        int n = write_some(c, c->out + c->out_done, c->out_length - c->out_done);
        if (n <= 0) return n;
        c->out_done += n;
    }
    if (c->out_length && c->state == ACK) times[c->number].sent = now();
    c->out_length = c->out_done = 0;
    watch(c, 0);
    return GOING_ON;
}

static int say(struct connection *c, const char *text, enum state next) {
    put_text(c, text);
    c->state = next;
    return flush_out(c);
}

/* ---- connections ------------------------------------------------------------------------------------------- */

static void close_connection(struct connection *c, int in_order);

static void open_connection(struct connection *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->in_length = c->out_length = c->out_done = 0;
    c->sent = c->inside_tls = 0;
    c->state = CONNECTING;
    c->wants_write = 1;
    alive++;
    opened++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    if (connect(c->fd, (void *)&server, sizeof server) < 0 && errno != EINPROGRESS) close_connection(c, 0);
}

static void close_connection(struct connection *c, int in_order) {
    if (c->ssl) {
        if (in_order) SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    close(c->fd);
    c->fd = -1;
    c->state = CLOSED;
    alive--;
    if (!in_order) errors++;
    if (begun < option.messages && errors < MOST_ERRORS) open_connection(c);
}

static void complain(struct connection *c, const char *about) {
    static int shown;
    if (option.verbose && shown++ < 10) fprintf(stderr, "in state %d: %.200s\n", c->state, about);
}

static int handshake(struct connection *c) {
    int result = SSL_connect(c->ssl);
    if (result == 1) {
        handshakes++;
        c->inside_tls = 1;
        watch(c, 0);
        if (strcmp(option.tls, "implicit")) return say(c, "EHLO client.bench.test\r\n", EHLO);
        c->state = BANNER;
        return GOING_ON;
    }
    int error = SSL_get_error(c->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        watch(c, error == SSL_ERROR_WANT_WRITE);
        return GOING_ON;
    }
    if (option.verbose) ERR_print_errors_fp(stderr);
    return FAILED;
}

static int begin_tls(struct connection *c) {
    c->ssl = SSL_new(tls_context);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    c->state = HANDSHAKE;
    return handshake(c);
}

/* ---- the conversation --------------------------------------------------------------------------------------- */

static int begin_message(struct connection *c) {
    if (begun >= option.messages || (option.per_connection && c->sent >= option.per_connection))
        return say(c, "QUIT\r\n", QUIT);
    double at = now();
    if (option.interval && at < next_slot) {
        c->state = PARKED;
        return GOING_ON;
    }
    if (option.interval) next_slot = (next_slot > at - option.interval ? next_slot : at) + option.interval;
    c->number = begun++;
    c->sent++;
    times[c->number].begun = at;
    char line[512];
    snprintf(line, sizeof line, "MAIL FROM:<%s>\r\n", option.sender);
    return say(c, line, MAIL);
}

static int send_content(struct connection *c) {
    char recipient[256], header[512];
    struct body *body = &pool[random() % POOL];
    snprintf(recipient, sizeof recipient, option.recipient, c->number);
    int length = snprintf(header, sizeof header, "Message-ID: <%ld.%d.%ld@bench.test>\r\nTo: <%s>\r\n", c->number,
                          (int)getpid(), (long)started, recipient);
    put(c, header, length);
    put(c, body->text, body->length);
    c->state = ACK;
    return flush_out(c);
}

static void acknowledge(struct connection *c) {
    last_acknowledged = times[c->number].acknowledged = now();
    acknowledged++;
}

/* One reply is complete; `line` is its last line. */
static int on_reply(struct connection *c, const char *line) {
    static const int hoped[] = {[BANNER] = 220, [EHLO] = 250, [STARTTLS] = 220, [AUTH] = 235, [MAIL] = 250,
                                [RCPT] = 250, [DATA] = 354, [ACK] = 250, [QUIT] = 221, [CLOSED] = 0};
    char command[512], recipient[256];
    if (atoi(line) != hoped[c->state]) {
        complain(c, line);
        return FAILED;
    }
    switch (c->state) {
    case BANNER:
        return say(c, "EHLO client.bench.test\r\n", EHLO);
    case EHLO:
        if (!strcmp(option.tls, "starttls") && !c->inside_tls) return say(c, "STARTTLS\r\n", STARTTLS);
        return option.login ? say(c, auth_command, AUTH) : begin_message(c);
    case STARTTLS:
        return begin_tls(c);
    case AUTH:
        return begin_message(c);
    case MAIL:
        snprintf(recipient, sizeof recipient, option.recipient, c->number);
        snprintf(command, sizeof command, "RCPT TO:<%s>\r\n", recipient);
        return say(c, command, RCPT);
    case RCPT:
        return say(c, "DATA\r\n", DATA);
    case DATA:
        return send_content(c);
    case ACK:
        acknowledge(c);
        return begin_message(c);
    case QUIT:
        close_connection(c, 1);
        return GONE;
    default:
        return FAILED; /* nobody asked */
    }
}

/* How many octets were read; 0: none now, FAILED: the end. */
static int read_some(struct connection *c) {
    char *at = c->in + c->in_length;
    size_t room = sizeof c->in - 1 - c->in_length;
    int n;
    if (!c->ssl) {
        n = recv(c->fd, at, room, 0);
        return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : FAILED;
    }
    n = SSL_read(c->ssl, at, room);
    if (n > 0) return n;
    int error = SSL_get_error(c->ssl, n);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : FAILED;
}

/* Every whole line that has come. Lines like "250-..." only announce further ones. */
static int on_lines(struct connection *c) {
    char *line = c->in, *end;
    while ((end = memchr(line, '\n', c->in + c->in_length - line))) {
        *end = 0;
        if (!(end - line >= 4 && line[3] == '-')) {
            int was_starttls = c->state == STARTTLS;
            int result = on_reply(c, line);
            if (result != GOING_ON) return result;
            if (was_starttls) {
                c->in_length = 0; /* whatever came before the handshake does not count */
                return GOING_ON;
            }
        }
        line = end + 1;
    }
    c->in_length = c->in + c->in_length - line;
    memmove(c->in, line, c->in_length);
    return GOING_ON;
}

static int on_readable(struct connection *c) {
    for (;;) {
        if (c->state == HANDSHAKE) return handshake(c);
        int n = read_some(c);
        if (n == 0) return GOING_ON;
        if (n == FAILED && c->state == QUIT) {
            close_connection(c, 1);
            return GONE;
        }
        if (n == FAILED) {
            complain(c, "the server closed the connection");
            return FAILED;
        }
        c->in_length += n;
        int result = on_lines(c);
        if (result != GOING_ON) return result;
    }
}

static int on_event(struct connection *c, unsigned events) {
    int result = GOING_ON;
    if (c->state == CONNECTING) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error) {
            complain(c, strerror(error));
            return FAILED;
        }
        watch(c, 0);
        c->state = BANNER;
        if (!strcmp(option.tls, "implicit")) result = begin_tls(c);
        if (!(events & EPOLLIN)) return result;
    } else if (c->state == HANDSHAKE) {
        result = handshake(c);
    } else if (events & EPOLLOUT) {
        result = flush_out(c);
    }
    return result == GOING_ON ? on_readable(c) : result;
}

static void begin_parked(void) {
    for (int i = 0; i < option.connections && now() >= next_slot; i++) {
        struct connection *c = &connections[i];
        if (c->state == PARKED && begin_message(c) == FAILED) close_connection(c, 0);
    }
}

static void run(void) {
    struct epoll_event events[EVENTS];
    started = next_slot = now();
    for (int i = 0; i < option.connections; i++) open_connection(&connections[i]);
    while (alive && now() - started < option.give_up) {
        int wait = option.interval ? (int)((next_slot - now()) * 1000) + 1 : 1000;
        int n = epoll_wait(epoll, events, EVENTS, wait > 0 ? wait : 0);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->fd >= 0 && on_event(c, events[i].events) == FAILED) close_connection(c, 0);
        }
        if (option.interval) begin_parked();
    }
}

static void make_auth_command(void) {
    char plain[512];
    const char *colon = strchr(option.login, ':');
    int length = snprintf(plain, sizeof plain, "%c%.*s%c%s", 0, (int)(colon - option.login), option.login, 0, colon + 1);
    int at = sprintf(auth_command, "AUTH PLAIN ");
    at += EVP_EncodeBlock((unsigned char *)auth_command + at, (unsigned char *)plain, length);
    strcpy(auth_command + at, "\r\n");
}

/* ---- what came of it ------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(const double *sorted, double quantile) {
    return acknowledged ? sorted[(long)((acknowledged - 1) * quantile)] * 1e3 : 0;
}

static void report(void) {
    double *ack = calloc(acknowledged + 1, sizeof *ack), *whole = calloc(acknowledged + 1, sizeof *whole);
    long count = 0;
    for (long i = 0; i < option.messages; i++) {
        if (!times[i].acknowledged) continue;
        ack[count] = times[i].acknowledged - times[i].sent;
        whole[count++] = times[i].acknowledged - times[i].begun;
    }
    qsort(ack, count, sizeof *ack, ascending);
    qsort(whole, count, sizeof *whole, ascending);
    double seconds = (last_acknowledged ? last_acknowledged : now()) - started;
    long missing = option.messages - acknowledged;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    /* seconds: first connect to last 250; ack: last byte of a message to its 250; whole: MAIL to the 250;
     * errors: connections that broke or messages without a 250, whichever is more */
    printf("{\"acknowledged\": %ld, \"started\": %.6f, \"seconds\": %.4f, \"rate\": %.1f, \"ack_p50_ms\": %.3f, "
           "\"ack_p99_ms\": %.3f, \"ack_max_ms\": %.3f, \"whole_p50_ms\": %.3f, \"whole_p99_ms\": %.3f, "
           "\"errors\": %ld, \"connections\": %ld, \"handshakes\": %ld, \"generator_cpu\": %.3f}\n",
           acknowledged, started, seconds, acknowledged / seconds, milliseconds(ack, .5), milliseconds(ack, .99),
           milliseconds(ack, 1), milliseconds(whole, .5), milliseconds(whole, .99), errors > missing ? errors : missing,
           opened, handshakes, cpu);
}

static void write_log(void) {
    FILE *file = fopen(option.log, "w");
    if (!file) {
        perror(option.log);
        exit(1);
    }
    for (long i = 0; i < option.messages; i++)
        if (times[i].acknowledged) fprintf(file, "%ld %.6f %.6f\n", i, times[i].sent, times[i].acknowledged);
    fclose(file);
}

static void read_options(int count, char **words) {
    int letter;
    while ((letter = getopt(count, words, "p:n:c:m:s:xt:a:f:r:i:w:l:v")) != -1) {
        switch (letter) {
        case 'p': option.port = atoi(optarg); break;
        case 'n': option.messages = atol(optarg); break;
        case 'c': option.connections = atoi(optarg); break;
        case 'm': option.per_connection = atoi(optarg); break;
        case 's': option.size = atoi(optarg); break;
        case 'x': option.text_only = 1; break;
        case 't': option.tls = optarg; break;
        case 'a': option.login = optarg; break;
        case 'f': option.sender = optarg; break;
        case 'r': option.recipient = optarg; break;
        case 'i': option.interval = atof(optarg) / 1000; break;
        case 'w': option.give_up = atof(optarg); break;
        case 'l': option.log = optarg; break;
        case 'v': option.verbose = 1; break;
        default: exit(2);
        }
    }
    if (option.login && !strchr(option.login, ':')) {
        fprintf(stderr, "-a wants USER:PASSWORD\n");
        exit(2);
    }
}

int main(int count, char **words) {
    unsigned seed;
    read_options(count, words);
    signal(SIGPIPE, SIG_IGN);
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed) srandom(seed);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(option.port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (option.login) make_auth_command();
    if (strcmp(option.tls, "none")) {
        tls_context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(tls_context, SSL_VERIFY_NONE, NULL); /* the certificate is the harness's own */
        SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    for (int i = 0; i < POOL; i++) make_body(&pool[i], option.sender, option.size, option.text_only);
    times = calloc(option.messages + 1, sizeof *times);
    connections = calloc(option.connections, sizeof *connections);
    epoll = epoll_create1(0);
    run();
    report();
    if (option.log) write_log();
    return 0;
}
