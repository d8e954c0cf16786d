// What both readers of documents ask of a text before they read it and of a tree after.
#pragma once

#include "config/document.h"

namespace parley::config {

// Line and column of a byte of the text.
Position position_of(ByteView text, size_t offset);

// Problems with the size or the characters of a text; empty: none.
std::vector<Problem> check_text(const std::string& name, ByteView text,
                                const DocumentLimits& limits);

// Adds a problem for each key that its map has twice.
void check_keys(const std::string& name, const DocumentNode& root, Report& report);

}  // namespace parley::config
