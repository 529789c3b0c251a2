// status, env, logs: looking at the region.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "terrarium/cli/commands.h"
#include "terrarium/cli/control_client.h"

namespace terrarium::cli {
namespace {

using namespace std::chrono_literals;

std::string plain(const boost::json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
}

bool is_table(const boost::json::value& value) {
  return value.is_array() && !value.as_array().empty() && value.as_array()[0].is_object();
}

// Rows under their column names, as wide as their widest cell.
void print_table(const boost::json::array& rows) {
  std::vector<std::string> columns;
  for (const auto& member : rows[0].as_object()) columns.emplace_back(member.key());
  std::vector<std::vector<std::string>> cells{columns};
  for (const auto& row : rows) {
    std::vector<std::string> line;
    for (const std::string& column : columns) {
      const auto* const cell = row.as_object().if_contains(column);
      line.push_back(cell == nullptr ? "" : plain(*cell));
    }
    cells.push_back(std::move(line));
  }
  for (const auto& line : cells) {
    std::cout << "   ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::size_t width = 0;
      for (const auto& other : cells) width = std::max(width, other[i].size());
      std::cout << ' ' << line[i];
      if (i + 1 < columns.size()) std::cout << std::string(width - line[i].size() + 1, ' ');
    }
    std::cout << '\n';
  }
}

const boost::json::array* branches_of(const boost::json::object& node) {
  for (const auto& member : node) {
    if (member.value().is_array()) return &member.value().as_array();
  }
  return nullptr;
}

// A node a line, with what hangs on it below.
void print_tree(const boost::json::array& nodes, const std::string& indent) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool last = i + 1 == nodes.size();
    const boost::json::object& node = nodes[i].as_object();
    std::cout << indent << (last ? "└─" : "├─");
    for (const auto& member : node) {
      if (member.value().is_array() || plain(member.value()).empty()) continue;
      std::cout << ' ' << plain(member.value());
    }
    std::cout << '\n';
    const auto* const branches = branches_of(node);
    if (branches != nullptr) print_tree(*branches, indent + (last ? "   " : "│  "));
  }
}

// As a tree where things hang on the rows.
void print_rows(const boost::json::array& rows) {
  if (branches_of(rows[0].as_object()) != nullptr) {
    print_tree(rows, "    ");
  } else {
    print_table(rows);
  }
}

}  // namespace

int status(const Options& options, bool as_json) {
  const auto answer = call_control(options, "GET", "status", nullptr, 5s);
  if (!answer) {
    std::fprintf(stderr, "error: no Terrarium answers on port %u (%s)\n", options.port,
                 answer.error().message.c_str());
    return 1;
  }
  if (as_json) {
    std::cout << boost::json::serialize(*answer) << '\n';
    return 0;
  }
  for (const auto& member : answer->as_object()) {
    const std::string name(member.key());
    if (is_table(member.value())) {
      std::cout << name << '\n';
      print_rows(member.value().as_array());
    } else if (!member.value().is_array()) {
      std::cout << name << std::string(name.size() < 16 ? 16 - name.size() : 1, ' ')
                << plain(member.value()) << '\n';
    }
  }
  return 0;
}

int env(const Options& options) {
  const std::string url = "http://127.0.0.1:" + std::to_string(options.port);
  // The AWS CLI of Debian 12 (2.9) does not read AWS_ENDPOINT_URL: the alias gives it to it.
  std::cout << "export AWS_ENDPOINT_URL=" << url << '\n'
            << "export AWS_ACCESS_KEY_ID=test\n"
            << "export AWS_SECRET_ACCESS_KEY=test\n"
            << "export AWS_DEFAULT_REGION=" << options.region << '\n'
            << "export AWS_REGION=" << options.region << '\n'
            << "alias aws='aws --endpoint-url " << url << "'\n";
  return 0;
}

int logs(const Options& options, const std::string& name, bool follow) {
  const std::string file = (options.state / "logs" / (name + ".log")).string();
  if (name.find('/') != std::string::npos || ::access(file.c_str(), R_OK) != 0) {
    std::fprintf(stderr, "error: there is no log of '%s' in %s\n", name.c_str(),
                 (options.state / "logs").c_str());
    return 1;
  }
  if (follow) {
    ::execlp("tail", "tail", "-n", "100", "-F", file.c_str(), nullptr);
  } else {
    ::execlp("tail", "tail", "-n", "100", file.c_str(), nullptr);
  }
  std::perror("tail");
  return 1;
}

}  // namespace terrarium::cli
