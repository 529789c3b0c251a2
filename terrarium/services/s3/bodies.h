// The bytes of objects on disk: a file for each body and part, named by its generation and by
// nothing that a client says.
//
//   <folder>/tmp/<generation>               being written
//   <folder>/objects/<2 hex>/<generation>   whole and synced; lives while the store has its file
//   key
//
// A body is written before the metadata that names it and removed after the metadata that drops it;
// what a crash leaves between is swept at the next start: files of earlier incarnations that the
// store does not name. Any thread may call, unless said otherwise.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/body.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/s3/checksum.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/store/store.h"

namespace terrarium::s3 {

class Bodies;

// A body that no metadata names yet. Its files go when it does, unless claimed.
class NewBody {
 public:
  NewBody() = default;
  NewBody(Bodies& bodies, std::vector<Segment> segments);
  explicit NewBody(std::string inline_bytes, Generation generation);
  ~NewBody();
  NewBody(NewBody&& other) noexcept;
  NewBody& operator=(NewBody&& other) noexcept;

  std::uint64_t bytes() const;
  const std::vector<Segment>& segments() const { return segments_; }
  // Set when the bytes are to lie in the store.
  const std::optional<Generation>& inline_generation() const { return inline_generation_; }
  const std::string& inline_bytes() const { return inline_bytes_; }
  // Metadata that names it has been written.
  void claim() { bodies_ = nullptr; }

 private:
  Bodies* bodies_ = nullptr;
  std::vector<Segment> segments_;
  std::optional<Generation> inline_generation_;
  std::string inline_bytes_;
};

class Bodies {
 public:
  // Makes the folders.
  static base::Result<std::unique_ptr<Bodies>> open(std::string folder, runtime::Runtime& runtime,
                                                    base::Random& random);
  ~Bodies();
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;

  // Removes in the background what earlier incarnations left that `store` does not name.
  // Control executor.
  void start(const store::Store& store);
  runtime::Task<void> stop();

  // Takes `source` to its end, `length` bytes, into a new body, digesting on the way. On disk when
  // it returns, unless it is inline.
  runtime::Task<base::Result<NewBody>> take(http::BodyReader& source, std::uint64_t length,
                                            bool may_be_inline, BodyDigests& digests);
  // The same bytes under new generations, without copying any. Conflict: copy them after all.
  runtime::Task<base::Result<NewBody>> link(std::vector<Segment> segments);

  // Keeps the files of a body in place while the pin lives. Null: they are being removed, and the
  // metadata that named them is history.
  using Pin = std::shared_ptr<const void>;
  Pin pin(const std::vector<Segment>& segments);
  // The first file is opened here: NotFound when the body was removed meanwhile.
  runtime::Task<base::Result<std::unique_ptr<http::BodyReader>>> read(std::vector<Segment> segments,
                                                                      Pin pin, std::uint64_t first,
                                                                      std::uint64_t bytes);
  // No metadata names these any more: removed, in the background, when nobody has them pinned.
  void release(std::vector<Segment> segments);

 private:
  class Writer;
  class Reader;
  struct Use {
    int pins = 0;
    bool released = false;
    std::vector<Segment> segments;  // to be removed when the last pin goes
  };
  struct Garbage;

  Bodies(std::string folder, runtime::Runtime& runtime, std::uint64_t incarnation);
  Generation next_generation();
  std::string temporary_path(const Generation& generation) const;
  std::string shard_path(const Generation& generation) const;
  std::string path(const Generation& generation) const;
  // Blocking: moves a synced file of tmp, or links another body, to its place for good.
  base::Result<void> place(const Generation& generation,
                           const std::function<base::Result<void>(const std::string& to)>& put);
  void unpin(const Generation& first);
  void discard(std::vector<Segment> segments);
  runtime::Task<void> collect();
  runtime::Task<void> sweep(const store::Store& store);
  void sweep_folder(const store::Store* store, const std::string& folder) const;

  const std::string folder_;
  runtime::Runtime& runtime_;
  const std::uint64_t incarnation_;
  std::atomic<std::uint64_t> sequence_ = 0;
  std::shared_ptr<Garbage> garbage_;
  runtime::TaskGroup tasks_;
  std::mutex mutex_;
  std::map<Generation, Use> uses_;  // by a body's first segment
};

}  // namespace terrarium::s3
