// The rows of one database answer; fields are texts that live as long as the Rows.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>

struct pg_result;

namespace messageboard {

class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result);

  std::size_t size() const;
  std::string_view text(std::size_t row, int column) const;
  std::int64_t integer(std::size_t row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace messageboard
