// A browser's form upload as it comes in (multipart/form-data, RFC 7578): first the fields, held in
// memory within AWS's limit, then the file, which streams.
//
// Used by one connection at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/body.h"

namespace terrarium::s3 {

// Of all fields before the file, names and values.
inline constexpr std::size_t kFormFieldsBytesMax = 20'480;
inline constexpr std::size_t kFormPartHeadBytesMax = 4'096;

// Names as the form writes them; compared without case.
class FormFields {
 public:
  void add(std::string name, std::string value);
  std::optional<std::string> find(std::string_view name) const;
  std::string get(std::string_view name) const { return find(name).value_or(""); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

class FormReader final : public http::BodyReader {
 public:
  // `content_type`: the request's header. `body` outlives the reader.
  static base::Result<std::unique_ptr<FormReader>> open(http::BodyReader& body,
                                                        std::string_view content_type);

  // The fields up to the file. Once, before the first read().
  runtime::Task<base::Result<FormFields>> read_fields();
  const std::string& file_name() const { return file_name_; }
  // Sizes between which the file must be: EntityTooSmall, EntityTooLarge.
  void limit(std::uint64_t bytes_min, std::uint64_t bytes_max);

  // The file. What the form has after it is read and left aside, as AWS does.
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override;
  std::optional<std::uint64_t> length() const override { return std::nullopt; }

 private:
  FormReader(http::BodyReader& body, std::string boundary);
  struct Part {
    std::string name;
    std::optional<std::string> file_name;
  };

  // More of the body behind what is buffered; false at its end.
  runtime::Task<base::Result<bool>> fill();
  // Where the next delimiter is, once it is buffered; what precedes it is bounded.
  runtime::Task<base::Result<std::size_t>> find_delimiter(std::size_t bytes_max);
  // The head of the part that begins here; nothing at the form's end.
  runtime::Task<base::Result<std::optional<Part>>> next_part();
  runtime::Task<base::Result<std::size_t>> end_file();

  http::BodyReader& body_;
  const std::string delimiter_;
  std::string buffer_;
  std::string file_name_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_min_ = 0;
  std::uint64_t bytes_max_ = UINT64_MAX;
  bool ended_ = false;
};

}  // namespace terrarium::s3
