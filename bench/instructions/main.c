/* gannet-instructions: runs every stage a few thousand times for callgrind to count. bench/instructions.py reads it. */
#include "bench/instructions/stages.h"

int main(void)
{
    stages_empty();
    stages_tcp();
    stages_udp();
    stages_feed();
    stages_path();
    return 0;
}
