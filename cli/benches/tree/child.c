/* The smallest child there is, so that what is measured is its supervisor.
 *
 * child stay FIFO    writes {its pid, CLOCK_MONOTONIC in ns} into FIFO, then sleeps
 * child crash FIFO   writes the same, then exits with 1
 */
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 3) return 2;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t stamp[2] = {(uint64_t)getpid(), (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
    int fifo = open(arguments[2], O_WRONLY | O_CLOEXEC);
    if (fifo < 0 || write(fifo, stamp, sizeof stamp) != sizeof stamp) return 3;
    close(fifo);
    if (arguments[1][0] == 'c') return 1;
    sleep(1000);
    return 0;
}
