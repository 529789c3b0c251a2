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

// A body that no metadata names yet. Its file goes when it does, unless claimed.
class NewBody {
 public:
  NewBody() = default;
  NewBody(Bodies& bodies, Generation generation, std::uint64_t bytes);
  explicit NewBody(std::string inline_bytes, Generation generation);
  ~NewBody();
  NewBody(NewBody&& other) noexcept;
  NewBody& operator=(NewBody&& other) noexcept;

  std::uint64_t bytes() const { return bytes_; }
  const Generation& generation() const { return generation_; }
  // Nowhere, Store or File.
  BodyPlace place() const { return place_; }
  // What is to lie in the store.
  const std::string& inline_bytes() const { return inline_bytes_; }
  // Metadata that names it has been written.
  void claim() { bodies_ = nullptr; }

 private:
  Bodies* bodies_ = nullptr;
  BodyPlace place_ = BodyPlace::Nowhere;
  Generation generation_;
  std::uint64_t bytes_ = 0;
  std::string inline_bytes_;
};

// How many bytes a body may have, or must.
struct BodySize {
  std::uint64_t most = 0;
  bool exact = true;
};

// The files of a body under the one generation by which readers hold it.
struct BodyFiles {
  Generation name;
  std::vector<Generation> files;
};

class Bodies {
 public:
  // Makes the folders.
  static base::Result<std::unique_ptr<Bodies>> open(std::string folder, runtime::Runtime& runtime,
                                                    base::Random& random);
  ~Bodies();
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;

  // A name that no body has had.
  Generation next_generation();

  // Removes in the background what earlier incarnations left that `store` does not name.
  // Control executor.
  void start(const store::Store& store);
  runtime::Task<void> stop();

  // Takes `source` to its end into a new body, digesting on the way. On disk when it returns,
  // unless it is inline.
  runtime::Task<base::Result<NewBody>> take(http::BodyReader& source, BodySize size,
                                            bool may_be_inline,
                                            std::shared_ptr<BodyDigests> digests);
  // The same bytes under a new generation, without copying any. Conflict: copy them after all.
  runtime::Task<base::Result<NewBody>> link(Generation from, std::uint64_t bytes);

  // Keeps the files of a body in place while the pin lives. Null: they are being removed, and the
  // metadata that named them is history.
  using Pin = std::shared_ptr<const void>;
  Pin pin(const Generation& name);
  // The file of the first byte is opened here: NotFound when the body was removed meanwhile.
  // `segments`: of the body, from the one that holds byte `first` of them on.
  runtime::Task<base::Result<std::unique_ptr<http::BodyReader>>> read(std::vector<Segment> segments,
                                                                      Pin pin, std::uint64_t first,
                                                                      std::uint64_t bytes);
  // No metadata names these any more: removed, in the background, when nobody has them pinned.
  void release(BodyFiles body);

 private:
  class Writer;
  struct Chunk;
  class Reader;
  struct Use {
    int pins = 0;
    bool released = false;
    std::vector<Generation> files;  // to be removed when the last pin goes
  };
  struct Garbage;

  Bodies(std::string folder, runtime::Runtime& runtime, std::uint64_t incarnation);
  std::size_t chunk_bytes(std::uint64_t length) const;
  static runtime::Task<base::Result<void>> fill(http::BodyReader& source, Chunk& chunk);
  runtime::Task<base::Result<void>> stream(http::BodyReader& source, BodySize size,
                                           std::shared_ptr<Writer> writer,
                                           std::shared_ptr<Chunk> chunk);
  std::string temporary_path(const Generation& generation) const;
  std::string shard_path(const Generation& generation) const;
  std::string path(const Generation& generation) const;
  // Blocking: moves a synced file of tmp, or links another body, to its place for good.
  base::Result<void> place(const Generation& generation,
                           const std::function<base::Result<void>(const std::string& to)>& put);
  void unpin(const Generation& name);
  void discard(BodyFiles body);
  runtime::Task<void> collect();
  runtime::Task<void> sweep(const store::Store& store);
  void sweep_folder(const store::Store* store, const std::string& folder) const;

  const std::string folder_;
  runtime::Runtime& runtime_;
  const std::uint64_t incarnation_;
  std::atomic<std::uint64_t> sequence_ = 0;
  std::atomic<std::size_t> writers_ = 0;
  std::shared_ptr<Garbage> garbage_;
  runtime::TaskGroup tasks_;
  std::mutex mutex_;
  std::map<Generation, Use> uses_;  // by a body's name
};

}  // namespace terrarium::s3
