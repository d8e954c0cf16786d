// Where a text stops being JSON, for the person who wrote it.
#pragma once

#include <string>

#include "base/bytes.h"

namespace parley::http_api {

// "line 2, column 7" of the first byte (or of the beginning of the first string or number) that no
// JSON text can have there; for a text that ends too early, the place behind it. `text` must be
// invalid.
std::string json_fault_place(ByteView text);

}  // namespace parley::http_api
