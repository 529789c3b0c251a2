// Finds faces. A missed face is a leak, a false one a smudge: everything here is tuned for recall.
// README.md has the recipe's figures. One owner, one thread; keep it between pictures, since its
// networks take longer to load than a small picture takes to search.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lib/base/result.h"
#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

struct Face {
  Box box;
  bool obvious = false;  // a detector that avoids false alarms would report it too
};

// Asked before every piece of work; true ends the search with Timeout.
using OutOfTime = std::function<bool()>;

// Rows of `width` RGB pixels without gaps; owned by the caller.
struct View {
  int width = 0;
  int height = 0;
  std::span<const std::uint8_t> rgb;
};

class Detector {
 public:
  // `models` is the folder that models/prepare wrote.
  static base::Result<Detector> open(const std::filesystem::path& models);
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  ~Detector();

  // Every face: small ones, those of a photograph lying on its side or upside down, and in large
  // photographs those that only show at full resolution.
  base::Result<std::vector<Face>> find(const View& view, const OutOfTime& out_of_time = {});
  // A cheaper look, for checking a picture whose faces have been obscured.
  base::Result<std::vector<Face>> look_again(const View& view, const OutOfTime& out_of_time = {});

 private:
  struct Networks;
  explicit Detector(std::unique_ptr<Networks> networks);
  template <class Search>
  base::Result<std::vector<Face>> search(const View& view, const OutOfTime& out_of_time,
                                         Search how);
  std::unique_ptr<Networks> networks_;
};

}  // namespace anonymise_image
