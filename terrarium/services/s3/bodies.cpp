#include "terrarium/services/s3/bodies.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <new>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/s3/file.h"
#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {
namespace {

constexpr std::string_view kTemporary = "/tmp/";
constexpr std::string_view kObjects = "/objects/";

std::unexpected<base::Error> incomplete_body() {
  return base::fail(errors::kIncompleteBody,
                    "You did not provide the number of bytes specified by the Content-Length HTTP "
                    "header");
}

struct CountDown {
  void operator()(std::atomic<std::size_t>* count) const { --*count; }
};

std::unexpected<base::Error> too_long(const BodySize& size) {
  if (size.exact) return incomplete_body();
  return base::fail(errors::kEntityTooLarge,
                    "Your proposed upload exceeds the maximum allowed size");
}

// Of a body that is all read: an end that nothing follows.
runtime::Task<base::Result<void>> check_end(http::BodyReader& source, BodySize size,
                                            std::uint64_t taken) {
  char byte = 0;
  CO_TRY(const std::size_t more, co_await source.read(std::span(&byte, 1)));
  if (more > 0 || taken > size.most) co_return too_long(size);
  if (size.exact && taken != size.most) co_return incomplete_body();
  co_return base::Result<void>();
}

}  // namespace

NewBody::NewBody(Bodies& bodies, Generation generation, std::uint64_t bytes)
    : bodies_(&bodies), place_(BodyPlace::File), generation_(generation), bytes_(bytes) {}

NewBody::NewBody(std::string inline_bytes, Generation generation)
    : place_(inline_bytes.empty() ? BodyPlace::Nowhere : BodyPlace::Store),
      generation_(generation),
      bytes_(inline_bytes.size()),
      inline_bytes_(std::move(inline_bytes)) {}

NewBody::~NewBody() {
  if (bodies_ != nullptr) bodies_->release({generation_, {generation_}});
}

NewBody::NewBody(NewBody&& other) noexcept { *this = std::move(other); }

NewBody& NewBody::operator=(NewBody&& other) noexcept {
  std::swap(bodies_, other.bodies_);
  std::swap(place_, other.place_);
  std::swap(generation_, other.generation_);
  std::swap(bytes_, other.bytes_);
  std::swap(inline_bytes_, other.inline_bytes_);
  return *this;
}

// Waiting for removal. Shared with what is posted to the control executor, which may run after the
// owner is gone.
struct Bodies::Garbage {
  std::mutex mutex;
  std::deque<BodyFiles> waiting;
  bool collecting = false;  // a task will look at `waiting` again
  Bodies* owner = nullptr;  // control executor; null once it has stopped
};

// A piece of a body in memory, neither cleared nor touched before bytes come.
struct Bodies::Chunk {
  explicit Chunk(std::size_t room) : bytes(make(room)), capacity(room) {}
  std::string_view view() const { return {bytes.get(), size}; }

  static constexpr std::align_val_t kAlignment{kDirectAlignment};
  struct Free {
    void operator()(char* memory) const { ::operator delete[](memory, kAlignment); }
  };
  static char* make(std::size_t size) {
    return static_cast<char*>(::operator new[](size, kAlignment));
  }
  std::unique_ptr<char[], Free> bytes;
  std::size_t capacity;
  std::size_t size = 0;
};

// One body on its way to disk. Blocking, but for its construction. Digesting a chunk's MD5 and
// doing the rest with it may go on side by side.
class Bodies::Writer {
 public:
  Writer(Bodies& bodies, std::shared_ptr<BodyDigests> digests, bool direct)
      : bodies_(bodies),
        digests_(std::move(digests)),
        direct_(direct),
        generation_(bodies.next_generation()) {}
  ~Writer() {
    if (!file_) return;
    const auto removed = remove_file(bodies_.temporary_path(generation_));
    if (!removed.has_value()) base::log::warning("s3", "{}", base::describe(removed.error()));
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void digest_md5(const Chunk& chunk) { digests_->update_md5(chunk.view()); }
  base::Result<void> write(const Chunk& chunk) {
    if (!file_) {
      TRY(file_, NewFile::create(bodies_.temporary_path(generation_), direct_));
    }
    digests_->update_checksums(chunk.view());
    TRY_VOID(file_->write(chunk.view()));
    bytes_ += chunk.size;
    if (bytes_ - begun_ >= kSyncBytes) {
      file_->begin_sync();
      begun_ = bytes_;
    }
    return {};
  }
  // A body that is one chunk.
  base::Result<void> write_whole(const Chunk& chunk) {
    digest_md5(chunk);
    TRY_VOID(write(chunk));
    return publish();
  }
  base::Result<void> publish() {
    TRY_VOID(file_->sync());
    const std::string from = bodies_.temporary_path(generation_);
    TRY_VOID(bodies_.place(generation_,
                           [&from](const std::string& to) { return rename_file(from, to); }));
    file_.reset();
    return {};
  }
  std::uint64_t bytes() const { return bytes_; }
  const Generation& generation() const { return generation_; }

 private:
  static constexpr std::uint64_t kSyncBytes = 8 << 20;

  Bodies& bodies_;
  const std::shared_ptr<BodyDigests> digests_;
  const bool direct_;
  const Generation generation_;
  std::optional<NewFile> file_;  // while it lies in tmp
  std::uint64_t bytes_ = 0;
  std::uint64_t begun_ = 0;
};

// One file after another; at most one is open.
class Bodies::Reader final : public http::BodyReader {
 public:
  Reader(Bodies& bodies, std::vector<Segment> segments, Pin pin, std::uint64_t first,
         std::uint64_t bytes)
      : bodies_(bodies),
        segments_(std::move(segments)),
        pin_(std::move(pin)),
        offset_(first),
        left_(bytes),
        length_(bytes) {}

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    while (left_ > 0) {
      CO_TRY_VOID(co_await open());
      CO_TRY(const std::size_t count, co_await file_->read(into));
      left_ -= count;
      if (count > 0) co_return count;
      file_.reset();
      offset_ = 0;
      ++segment_;
    }
    co_return std::size_t{0};
  }

  std::optional<std::uint64_t> length() const override { return length_; }

  // The file that holds the next byte.
  runtime::Task<base::Result<void>> open() {
    if (file_) co_return base::Result<void>();
    while (offset_ >= segments_[segment_].bytes) offset_ -= segments_[segment_++].bytes;
    const Segment& segment = segments_[segment_];
    const std::uint64_t bytes = std::min(left_, segment.bytes - offset_);
    const auto open_file = [this, &segment, bytes] {
      return http::file_body(bodies_.runtime_.blocking(), bodies_.path(segment.generation), offset_,
                             bytes);
    };
    auto opened = co_await bodies_.runtime_.blocking().run(open_file);
    if (!opened.has_value()) {
      base::Error error = base::wrap(std::move(opened).error(), "opening a body");
      // Only "removed meanwhile" is the reader's business; a short file is our own fault.
      if (error.kind != base::ErrorKind::NotFound) error.kind = base::ErrorKind::Internal;
      co_return std::unexpected(std::move(error));
    }
    file_ = *std::move(opened);
    co_return base::Result<void>();
  }

 private:
  Bodies& bodies_;
  const std::vector<Segment> segments_;
  const Pin pin_;
  std::unique_ptr<http::BodyReader> file_;  // of segments_[segment_], when open
  std::size_t segment_ = 0;
  std::uint64_t offset_;  // where reading begins in that segment
  std::uint64_t left_;
  const std::uint64_t length_;
};

// Reads until the chunk is full or the body has ended.
runtime::Task<base::Result<void>> Bodies::fill(http::BodyReader& source, Chunk& chunk) {
  chunk.size = 0;
  while (chunk.size < chunk.capacity) {
    const std::span<char> room(chunk.bytes.get() + chunk.size, chunk.capacity - chunk.size);
    CO_TRY(const std::size_t count, co_await source.read(room));
    if (count == 0) break;
    chunk.size += count;
  }
  co_return base::Result<void>();
}

base::Result<std::unique_ptr<Bodies>> Bodies::open(std::string folder, runtime::Runtime& runtime,
                                                   base::Random& random) {
  TRY_VOID(make_folder(folder + "/tmp"));
  TRY_VOID(make_folder(folder + "/objects"));
  return std::unique_ptr<Bodies>(new Bodies(std::move(folder), runtime, random.next()));
}

Bodies::Bodies(std::string folder, runtime::Runtime& runtime, std::uint64_t incarnation)
    : folder_(std::move(folder)),
      runtime_(runtime),
      incarnation_(incarnation),
      garbage_(std::make_shared<Garbage>()),
      tasks_(runtime.control()) {}

Bodies::~Bodies() { garbage_->owner = nullptr; }

void Bodies::start(const store::Store& store) {
  garbage_->owner = this;
  tasks_.spawn("sweep bodies", sweep(store));
}

runtime::Task<void> Bodies::stop() {
  garbage_->owner = nullptr;
  co_await tasks_.stop();
}

Generation Bodies::next_generation() { return {incarnation_, ++sequence_}; }

std::string Bodies::temporary_path(const Generation& generation) const {
  return folder_ + std::string(kTemporary) + generation.hex();
}

// The last byte counts fastest: it spreads bodies evenly over 256 folders.
std::string Bodies::shard_path(const Generation& generation) const {
  return folder_ + std::string(kObjects) + generation.hex().substr(30);
}

std::string Bodies::path(const Generation& generation) const {
  return shard_path(generation) + "/" + generation.hex();
}

base::Result<void> Bodies::place(
    const Generation& generation,
    const std::function<base::Result<void>(const std::string& to)>& put) {
  const std::string shard = shard_path(generation);
  const std::string to = path(generation);
  base::Result<void> placed = put(to);
  if (!placed.has_value() && placed.error().kind == base::ErrorKind::NotFound) {
    TRY_VOID(make_folder(shard));
    placed = put(to);
  }
  TRY_VOID(std::move(placed));
  return sync_folder(shard);
}

// Many writers share what one alone may use: a slow one holds memory only for what it has sent.
std::size_t Bodies::chunk_bytes(std::uint64_t length) const {
  const std::size_t share =
      std::max(kChunkBytesMin, kChunkBytesOfAll / std::max<std::size_t>(1, writers_));
  const auto bytes =
      static_cast<std::size_t>(std::clamp<std::uint64_t>(length, 1, std::min(share, kChunkBytes)));
  return (bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
}

runtime::Task<base::Result<NewBody>> Bodies::take(http::BodyReader& source, BodySize size,
                                                  bool may_be_inline,
                                                  std::shared_ptr<BodyDigests> digests) {
  if (may_be_inline && size.exact && size.most <= kInlineBytesMax) {
    CO_TRY(std::string bytes, co_await http::read_all(source, kInlineBytesMax));
    if (bytes.size() != size.most) co_return incomplete_body();
    digests->update(bytes);
    digests->finish();
    co_return NewBody(std::move(bytes), next_generation());
  }
  ++writers_;
  const std::unique_ptr<std::atomic<std::size_t>, CountDown> counted(&writers_);
  const auto chunk = std::make_shared<Chunk>(chunk_bytes(size.most));
  CO_TRY_VOID(co_await fill(source, *chunk));
  const bool whole = chunk->size < chunk->capacity;
  if (may_be_inline && !size.exact && whole && chunk->size <= kInlineBytesMax) {
    digests->update(chunk->view());
    digests->finish();
    co_return NewBody(std::string(chunk->view()), next_generation());
  }
  const auto writer = std::make_shared<Writer>(*this, digests, size.most >= kDirectBytesMin);
  CO_TRY_VOID(co_await stream(source, size, writer, chunk));
  digests->finish();
  co_return NewBody(*this, writer->generation(), writer->bytes());
}

// While one chunk is digested and written, the next one comes in.
runtime::Task<base::Result<void>> Bodies::stream(http::BodyReader& source, BodySize size,
                                                 std::shared_ptr<Writer> writer,
                                                 std::shared_ptr<Chunk> chunk) {
  const runtime::Executor own = co_await runtime::this_executor();
  runtime::BlockingPool& pool = runtime_.blocking();
  if (chunk->size < chunk->capacity || (size.exact && chunk->size == size.most)) {
    CO_TRY_VOID(co_await check_end(source, size, chunk->size));
    co_return co_await pool.run([&writer, &chunk] { return writer->write_whole(*chunk); });
  }
  auto next = std::make_shared<Chunk>(chunk->capacity);
  std::uint64_t taken = 0;
  while (chunk->size > 0) {
    taken += chunk->size;
    if (taken > size.most) co_return too_long(size);
    auto written = pool.start(own, [writer, chunk] { return writer->write(*chunk); });
    auto digested = pool.start(own, [writer, chunk] {
      writer->digest_md5(*chunk);
      return true;
    });
    auto filled = co_await fill(source, *next);
    // Also after an error: both work on what this frame shares with them.
    co_await digested.wait();
    CO_TRY_VOID(co_await written.wait());
    CO_TRY_VOID(std::move(filled));
    std::swap(chunk, next);
  }
  if (size.exact && taken != size.most) co_return incomplete_body();
  co_return co_await pool.run([&writer] { return writer->publish(); });
}

runtime::Task<base::Result<NewBody>> Bodies::link(Generation from, std::uint64_t bytes) {
  const std::string source = path(from);
  NewBody body(*this, next_generation(), bytes);
  const auto link_it = [this, &source, &body] {
    return place(body.generation(),
                 [&source](const std::string& to) { return link_file(source, to); });
  };
  CO_TRY_VOID(co_await runtime_.blocking().run(link_it));
  co_return body;
}

Bodies::Pin Bodies::pin(const Generation& name) {
  {
    const std::lock_guard lock(mutex_);
    Use& use = uses_[name];
    if (use.released) return nullptr;
    ++use.pins;
  }
  return {this, [name](const Bodies* bodies) { const_cast<Bodies*>(bodies)->unpin(name); }};
}

void Bodies::unpin(const Generation& name) {
  BodyFiles body{name, {}};
  {
    const std::lock_guard lock(mutex_);
    const auto use = uses_.find(name);
    if (--use->second.pins > 0) return;
    if (!use->second.released) {
      uses_.erase(use);
      return;
    }
    body.files.swap(use->second.files);
  }
  discard(std::move(body));
}

void Bodies::release(BodyFiles body) {
  {
    const std::lock_guard lock(mutex_);
    Use& use = uses_[body.name];
    use.released = true;
    if (use.pins > 0) {
      use.files = std::move(body.files);
      return;
    }
  }
  discard(std::move(body));
}

void Bodies::discard(BodyFiles body) {
  {
    const std::lock_guard lock(garbage_->mutex);
    garbage_->waiting.push_back(std::move(body));
    if (std::exchange(garbage_->collecting, true)) return;
  }
  runtime::asio::post(runtime_.control(), [garbage = garbage_] {
    Bodies* const owner = garbage->owner;
    if (owner != nullptr) owner->tasks_.spawn("remove bodies", owner->collect());
  });
}

runtime::Task<void> Bodies::collect() {
  for (;;) {
    BodyFiles body;
    {
      const std::lock_guard lock(garbage_->mutex);
      garbage_->collecting = !garbage_->waiting.empty();
      if (!garbage_->collecting) co_return;
      std::swap(body, garbage_->waiting.front());
      garbage_->waiting.pop_front();
    }
    co_await runtime_.blocking().run([this, &body] {
      for (const Generation& file : body.files) {
        const auto removed = remove_file(path(file));
        if (!removed.has_value()) base::log::warning("s3", "{}", base::describe(removed.error()));
      }
    });
    const std::lock_guard lock(mutex_);
    uses_.erase(body.name);
  }
}

runtime::Task<base::Result<std::unique_ptr<http::BodyReader>>> Bodies::read(
    std::vector<Segment> segments, Pin pin, std::uint64_t first, std::uint64_t bytes) {
  auto reader = std::make_unique<Reader>(*this, std::move(segments), std::move(pin), first, bytes);
  if (bytes > 0) CO_TRY_VOID(co_await reader->open());
  co_return reader;
}

runtime::Task<void> Bodies::sweep(const store::Store& store) {
  std::vector<std::string> shards;
  co_await runtime_.blocking().run([this, &shards] {
    sweep_folder(nullptr, folder_ + "/tmp");
    auto names = list_folder(folder_ + "/objects");
    if (names.has_value()) shards = *std::move(names);
  });
  // A folder at a time: whoever needs the blocking pool meanwhile gets a turn.
  for (const std::string& shard : shards) {
    if (tasks_.stopping()) co_return;
    const std::string folder = folder_ + std::string(kObjects) + shard;
    co_await runtime_.blocking().run([this, &store, &folder] { sweep_folder(&store, folder); });
  }
}

// Files of this incarnation are somebody's business; those of earlier ones cannot gain a name.
void Bodies::sweep_folder(const store::Store* store, const std::string& folder) const {
  const auto names = list_folder(folder);
  if (!names.has_value()) return base::log::warning("s3", "{}", base::describe(names.error()));
  for (const std::string& name : *names) {
    const auto bytes = base::hex_decode(name);
    const auto generation = Generation::from_bytes(bytes.value_or(std::string()));
    if (!generation || generation->incarnation == incarnation_) continue;
    if (store != nullptr) {
      const auto named = store->get(store::Table::S3, file_key(*generation));
      if (!named.has_value() || named->has_value()) continue;
    }
    const auto removed = remove_file(folder + "/" + name);
    if (!removed.has_value()) base::log::warning("s3", "{}", base::describe(removed.error()));
  }
}

}  // namespace terrarium::s3
