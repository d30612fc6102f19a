/* A Modbus server on libmodbus, for tests: it shares no code with our client.
 *
 *   server --port P | --rtu DEVICE [--station N] [--log FILE] [--sequence] [--illegal LO-HI[:CODE]]... [--no-table FUNCTION] [--max-count N]
 *          [--unit N] [--delay-ms N] [--close-after N] [--first S]
 *
 * Registers (holding and input alike) hold their own address; coils and discrete inputs are on at odd addresses.
 *   --illegal     a read that touches LO..HI is answered by exception CODE (2); any number of times.
 *                 SIGUSR1 switches all these ranges off, and on again: a device put right.
 *   --rtu         serves a serial line with 9600 baud, no parity and one stop bit, as station N (1) alone
 *   --no-table    reads with this function code are answered by exception 1
 *   --max-count   longer reads are answered by exception 3
 *   --unit        answers carry this unit id whatever was asked: a wrong device
 *   --first       first sequence number (1): a device that goes on after a restart
 *   --close-after closes each connection after so many answers; SIGUSR2 closes all connections once
 *
 * --sequence: each read request gets the next sequence number S = 1, 2, ... and register A serves
 *     (S + 7919 * A) mod 65536 when A < 32768: a uint16
 *     from 32768 on, pairs: the even address serves (7919 * A) mod 65536, the next one S mod 65536: a uint32 ABCD
 * so that a test knows each value that was ever served, and each is unique per register for 65,536 requests.
 *
 * The log has one line per request, written and flushed before the answer goes out:
 *     <wall clock ns> <function> <start> <count> <sequence, 0 without --sequence> <exception, 0 when served>
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RANGES 256

static struct { int low, high, code; } illegal[RANGES];
static int illegals = 0;
static int illegal_off = 0;
static int answers[FD_SETSIZE];

static void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

static int refusal(int function, int start, int count, int no_table, int max_count) {
    if (function == no_table)
        return 1;
    if (max_count && count > max_count)
        return 3;
    for (int i = 0; !illegal_off && i < illegals; i++)
        if (start <= illegal[i].high && start + count > illegal[i].low)
            return illegal[i].code;
    return 0;
}

int main(int argc, char **argv) {
    int port = 0, sequence_mode = 0, no_table = 0, max_count = 0, unit = -1, delay_ms = 0, close_after = 0;
    int station = 1, first = 1;
    const char *device = NULL;
    FILE *log = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--sequence")) { sequence_mode = 1; continue; }
        i++;
        if (!strcmp(argv[i - 1], "--port")) port = atoi(value);
        else if (!strcmp(argv[i - 1], "--rtu")) device = value;
        else if (!strcmp(argv[i - 1], "--station")) station = atoi(value);
        else if (!strcmp(argv[i - 1], "--no-table")) no_table = atoi(value);
        else if (!strcmp(argv[i - 1], "--max-count")) max_count = atoi(value);
        else if (!strcmp(argv[i - 1], "--unit")) unit = atoi(value);
        else if (!strcmp(argv[i - 1], "--delay-ms")) delay_ms = atoi(value);
        else if (!strcmp(argv[i - 1], "--first")) first = atoi(value);
        else if (!strcmp(argv[i - 1], "--close-after")) close_after = atoi(value);
        else if (!strcmp(argv[i - 1], "--log")) {
            if (!(log = fopen(value, "a"))) die(value);
        } else if (!strcmp(argv[i - 1], "--illegal") && illegals < RANGES) {
            illegal[illegals].code = 2;
            if (sscanf(value, "%d-%d:%d", &illegal[illegals].low, &illegal[illegals].high,
                       &illegal[illegals].code) < 2) { errno = EINVAL; die(value); }
            illegals++;
        } else { errno = EINVAL; die(argv[i - 1]); }
    }
    /* Read as data, so that a signal sent before a request is obeyed before it. */
    sigset_t commands;
    sigemptyset(&commands);
    sigaddset(&commands, SIGUSR1);
    sigaddset(&commands, SIGUSR2);
    sigprocmask(SIG_BLOCK, &commands, NULL);
    int signals = signalfd(-1, &commands, 0);
    if (signals < 0) die("signalfd");
    signal(SIGPIPE, SIG_IGN);

    modbus_mapping_t *map = modbus_mapping_new(65536, 65536, 65536, 65536);
    if (!map) die("mapping");
    for (int a = 0; a < 65536; a++) {
        map->tab_registers[a] = map->tab_input_registers[a] = (uint16_t)a;
        map->tab_bits[a] = map->tab_input_bits[a] = (uint8_t)(a & 1);
    }
    modbus_t *ctx = device ? modbus_new_rtu(device, 9600, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", port);
    if (!ctx) die("context");
    int listener = -1, line = -1;
    if (device) {
        if (modbus_set_slave(ctx, station) < 0 || modbus_connect(ctx) < 0) die(device);
        line = modbus_get_socket(ctx);
        puts("ready");
        fflush(stdout);
    } else if ((listener = modbus_tcp_listen(ctx, 16)) < 0) die("listen");
    int header = modbus_get_header_length(ctx);

    fd_set known;
    FD_ZERO(&known);
    FD_SET(device ? line : listener, &known);
    FD_SET(signals, &known);
    int highest = signals;
    if (listener > highest) highest = listener;
    if (line > highest) highest = line;
    uint32_t sequence = (uint32_t)first - 1;
    for (;;) {
        fd_set ready = known;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) die("select");
        if (FD_ISSET(signals, &ready)) {
            struct signalfd_siginfo command;
            if (read(signals, &command, sizeof command) != sizeof command) die("signalfd");
            if (command.ssi_signo == SIGUSR1) illegal_off = !illegal_off;
            else for (int fd = 0; fd <= highest; fd++)
                if (fd != listener && fd != line && fd != signals && FD_ISSET(fd, &known)) { close(fd); FD_CLR(fd, &known); }
            continue;
        }
        for (int fd = 0; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == listener) {
                int client = accept(listener, NULL, NULL);
                if (client < 0) continue;
                if (client >= FD_SETSIZE) { close(client); continue; }
                FD_SET(client, &known);
                answers[client] = 0;
                if (client > highest) highest = client;
                continue;
            }
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(ctx, fd);
            int length = modbus_receive(ctx, query);
            if (length <= 0) {
                if (length < 0 && fd != line) { close(fd); FD_CLR(fd, &known); }
                continue;
            }
            const uint8_t *pdu = query + header;
            int function = pdu[0], start = pdu[1] << 8 | pdu[2], count = pdu[3] << 8 | pdu[4];
            int code = refusal(function, start, count, no_table, max_count);
            if (sequence_mode && !code && function <= 4) {
                sequence++;
                for (int a = start; a < start + count && a < 65536; a++) {
                    uint16_t value = a < 32768 ? (uint16_t)(sequence + 7919u * (uint32_t)a)
                                   : a & 1     ? (uint16_t)sequence
                                               : (uint16_t)(7919u * (uint32_t)a);
                    map->tab_registers[a] = map->tab_input_registers[a] = value;
                }
            }
            if (delay_ms) {
                struct timespec pause = {delay_ms / 1000, (delay_ms % 1000) * 1000000L};
                nanosleep(&pause, NULL);
            }
            if (log) {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                fprintf(log, "%lld %d %d %d %u %d\n", (long long)now.tv_sec * 1000000000LL + now.tv_nsec, function,
                        start, count, sequence_mode && !code ? sequence : 0, code);
                fflush(log);
            }
            if (unit >= 0) query[header - 1] = (uint8_t)unit;
            int sent = code ? modbus_reply_exception(ctx, query, (unsigned)code)
                            : modbus_reply(ctx, query, length, map);
            if (fd != line && (sent < 0 || (close_after && ++answers[fd] >= close_after))) { close(fd); FD_CLR(fd, &known); }
        }
    }
}
