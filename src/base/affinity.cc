#include "base/affinity.h"

namespace parley::affinity {
namespace {
thread_local ShardId current_shard = kNoShard;
}

ShardId current() { return current_shard; }
void set_current(ShardId shard) { current_shard = shard; }

}  // namespace parley::affinity
