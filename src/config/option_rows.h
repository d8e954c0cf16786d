// How the rows of the option table are written.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"

namespace parley::config {

// An option that says more about another one, which is not there yet.
struct IdleRow {
  std::string_view name;
  Type type = Type::kString;
  std::string_view fallback = "";
};

// What: adds the rows of one section. `Members` lead from the table's object to the section's.
class Rows {
 public:
  Rows(std::vector<Option>& out, std::string section) : out_(out), section_(std::move(section)) {}

  template <auto... Members>
  Option& supported(std::string_view name, std::string_view fallback, std::string_view note) {
    const Field where = field<Members...>();
    Option& option = add(name, where.type, fallback, Status::kSupported, note);
    option.field = where;
    return option;
  }
  Option& warned(std::string_view name, Type type, std::string_view fallback,
                 std::string_view note) {
    return add(name, type, fallback, Status::kWarned, note);
  }
  Option& refused(std::string_view name, Type type, std::string_view fallback,
                  std::string_view note) {
    return add(name, type, fallback, Status::kRefused, note);
  }
  // `below` is a group inside the section, or "".
  void idle(std::string_view below, std::string_view note, std::initializer_list<IdleRow> rows) {
    for (const IdleRow& row : rows)
      add(below.empty() ? std::string(row.name) : join(below, row.name), row.type, row.fallback,
          Status::kIdle, note);
  }

  static std::string join(std::string_view section, std::string_view name) {
    if (section.empty()) return std::string(name);
    return std::string(section) + "." + std::string(name);
  }

 private:
  Option& add(std::string_view name, Type type, std::string_view fallback, Status status,
              std::string_view note) {
    Option& option = out_.emplace_back();
    option.path = join(section_, name);
    option.type = type;
    option.fallback = fallback;
    option.status = status;
    option.note = note;
    return option;
  }

  std::vector<Option>& out_;
  std::string section_;
};

// The tables' parts, a file each.
void add_server_rows(std::vector<Option>& out);     // http_server, log, node, shutdown, ...
void add_client_rows(std::vector<Option>& out);     // client
void add_channel_rows(std::vector<Option>& out);    // channel
void add_namespace_rows(std::vector<Option>& out);  // the table of one namespace
void add_door_rows(std::vector<Option>& out);       // transports, APIs, pages
void add_engine_rows(std::vector<Option>& out);     // engine, brokers, controller
void add_proxy_rows(std::vector<Option>& out);      // proxies, rpc, consumers

// Groups that stand in several places. `section` ends in the group's own name.
void add_tls_rows(std::vector<Option>& out, const std::string& section, std::string_view note);
void add_proxy_object_rows(std::vector<Option>& out, const std::string& section);

}  // namespace parley::config
