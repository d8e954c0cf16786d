// In a file of its own, so that a simulation can be linked with a key that is always the same.
#include "base/hash.h"
#include "base/random.h"

namespace parley {

const HashKey& process_hash_key() {
  static const HashKey key{random_u64(), random_u64()};
  return key;
}

}  // namespace parley
