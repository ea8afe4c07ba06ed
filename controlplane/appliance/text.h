/* Texts that come from elsewhere: a request, a record that another process wrote, a text that was cut to its field. */
#ifndef GN_TEXT_H
#define GN_TEXT_H

/* gn_text_plain: bytes that are no printable ASCII become '?'. A text cut within a character is no JSON any more, and
 * whatever answer carries it would be lost as a whole; control characters would move an operator's terminal. */
static inline void gn_text_plain(char *text)
{
    for (; *text != 0; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

#endif
