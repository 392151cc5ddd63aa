/* The messages smtpload sends: a header without Message-ID and To, and mostly random content. */
#ifndef BODIES_H
#define BODIES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t base64_line(char *at) {
    for (int i = 0; i < 76; i++) at[i] = ALPHABET[random() % 64];
    memcpy(at + 76, "\r\n", 2);
    return 78;
}

/* `size` is that of the whole with its header, about; it ends with the final dot. */
static void make_body(struct body *body, const char *sender, int size, int text_only) {
    char *text = body->text = malloc(size + 2048);
    size_t length = sprintf(text,
                            "From: Bench Shop <%s>\r\nSubject: Your order has been shipped\r\n"
                            "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n",
                            sender);
    if (text_only) {
        length += sprintf(text + length, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
        while (length + 78 < (size_t)size) length += text_line(text + length);
    } else {
        length += sprintf(text + length, "Content-Type: multipart/mixed; boundary=\"=_bench\"\r\n\r\n"
                                         "--=_bench\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
        for (int i = 0; i < 4; i++) length += text_line(text + length);
        length += sprintf(text + length, "\r\n--=_bench\r\nContent-Type: application/octet-stream\r\n"
                                         "Content-Transfer-Encoding: base64\r\n\r\n");
        while (length + 92 < (size_t)size) length += base64_line(text + length);
        length += sprintf(text + length, "\r\n--=_bench--\r\n");
    }
    body->length = length + sprintf(text + length, ".\r\n");
}

#endif
