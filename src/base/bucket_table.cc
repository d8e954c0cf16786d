#include "base/bucket_table.h"

namespace parley {

TokenBucket& BucketTable::find(uint64_t key) {
  if (table_.empty()) table_.resize(places_);
  Place* const set = table_.data() + (key & (places_ - 1) & ~(kSet - 1));
  Place* fullest = set;
  for (Place* place = set; place != set + kSet; ++place) {
    if (place->key == key) return place->bucket;
    if (place->bucket.full_at() < fullest->bucket.full_at()) fullest = place;
  }
  *fullest = {.key = key, .bucket = {}};
  return fullest->bucket;
}

}  // namespace parley
