/* Lines of words, for the messages of smtpload and httpload. */
#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>
#include <stdlib.h>

struct body { char *text; size_t length; };

static const char *const WORDS[] = {"your", "order", "has", "been", "shipped", "and", "will", "arrive", "on",
                                    "Monday", "the", "invoice", "is", "attached", "please", "reply", "with",
                                    "any", "question", "about", "it", "thank", "you", "for", "choosing"};

/* Ends in CRLF; returns its length. */
static size_t text_line(char *at) {
    size_t length = 0;
    while (length < 64) length += sprintf(at + length, "%s ", WORDS[random() % (sizeof WORDS / sizeof *WORDS)]);
    return length - 1 + sprintf(at + length - 1, "\r\n");
}

#endif
