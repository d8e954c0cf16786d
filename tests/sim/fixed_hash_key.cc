// Tables are walked in the order of their hashes: a seed must mean the same in every process.
#include "base/hash.h"

namespace parley {

const HashKey& process_hash_key() {
  static const HashKey key{1, 2};
  return key;
}

}  // namespace parley
