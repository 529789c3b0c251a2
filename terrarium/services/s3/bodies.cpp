#include "terrarium/services/s3/bodies.h"

#include <boost/asio/post.hpp>

#include <algorithm>

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

// Reads until `into` is full or the body has ended.
runtime::Task<base::Result<std::size_t>> fill(http::BodyReader& source, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    CO_TRY(const std::size_t count, co_await source.read(into.subspan(done)));
    if (count == 0) break;
    done += count;
  }
  co_return done;
}

}  // namespace

NewBody::NewBody(Bodies& bodies, std::vector<Segment> segments)
    : bodies_(&bodies), segments_(std::move(segments)) {}

NewBody::NewBody(std::string inline_bytes, Generation generation)
    : inline_generation_(generation), inline_bytes_(std::move(inline_bytes)) {}

NewBody::~NewBody() {
  if (bodies_ != nullptr) bodies_->release(std::move(segments_));
}

NewBody::NewBody(NewBody&& other) noexcept
    : bodies_(std::exchange(other.bodies_, nullptr)),
      segments_(std::move(other.segments_)),
      inline_generation_(other.inline_generation_),
      inline_bytes_(std::move(other.inline_bytes_)) {}

NewBody& NewBody::operator=(NewBody&& other) noexcept {
  std::swap(bodies_, other.bodies_);
  std::swap(segments_, other.segments_);
  std::swap(inline_generation_, other.inline_generation_);
  std::swap(inline_bytes_, other.inline_bytes_);
  return *this;
}

std::uint64_t NewBody::bytes() const {
  std::uint64_t bytes = inline_bytes_.size();
  for (const Segment& segment : segments_) bytes += segment.bytes;
  return bytes;
}

// Waiting for removal. Shared with what is posted to the control executor, which may run after the
// owner is gone.
struct Bodies::Garbage {
  std::mutex mutex;
  std::deque<std::vector<Segment>> waiting;
  bool collecting = false;  // a task will look at `waiting` again
  Bodies* owner = nullptr;  // control executor; null once it has stopped
};

// One body on its way to disk. Blocking, but for its construction.
class Bodies::Writer {
 public:
  explicit Writer(Bodies& bodies) : bodies_(bodies), generation_(bodies.next_generation()) {}
  ~Writer() {
    if (!file_) return;
    const auto removed = remove_file(bodies_.temporary_path(generation_));
    if (!removed.has_value()) base::log::warning("s3", "{}", base::describe(removed.error()));
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  base::Result<void> open() {
    TRY(file_, NewFile::create(bodies_.temporary_path(generation_)));
    return {};
  }
  base::Result<void> write(std::string_view bytes, BodyDigests& digests) {
    digests.update(bytes);
    bytes_ += bytes.size();
    return file_->write(bytes);
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
  Segment segment() const { return {generation_, bytes_, {}}; }

 private:
  Bodies& bodies_;
  const Generation generation_;
  std::optional<NewFile> file_;  // while it lies in tmp
  std::uint64_t bytes_ = 0;
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

runtime::Task<base::Result<NewBody>> Bodies::take(http::BodyReader& source, std::uint64_t length,
                                                  bool may_be_inline, BodyDigests& digests) {
  if (may_be_inline && length <= kInlineBytesMax) {
    CO_TRY(std::string bytes, co_await http::read_all(source, kInlineBytesMax));
    if (bytes.size() != length) co_return incomplete_body();
    digests.update(bytes);
    digests.finish();
    co_return NewBody(std::move(bytes), next_generation());
  }
  Writer writer(*this);
  CO_TRY_VOID(co_await runtime_.blocking().run([&writer] { return writer.open(); }));
  std::string buffer(static_cast<std::size_t>(std::clamp<std::uint64_t>(length, 1, kChunkBytes)),
                     '\0');
  for (;;) {
    CO_TRY(const std::size_t count, co_await fill(source, buffer));
    if (count == 0) break;
    if (writer.bytes() + count > length) co_return incomplete_body();
    const std::string_view chunk(buffer.data(), count);
    CO_TRY_VOID(co_await runtime_.blocking().run(
        [&writer, &digests, chunk] { return writer.write(chunk, digests); }));
  }
  if (writer.bytes() != length) co_return incomplete_body();
  digests.finish();
  CO_TRY_VOID(co_await runtime_.blocking().run([&writer] { return writer.publish(); }));
  co_return NewBody(*this, {writer.segment()});
}

runtime::Task<base::Result<NewBody>> Bodies::link(std::vector<Segment> segments) {
  std::vector<std::string> from;
  for (Segment& segment : segments) {
    from.push_back(path(segment.generation));
    segment.generation = next_generation();
  }
  NewBody body(*this, std::move(segments));
  const auto link_all = [this, &from, &body]() -> base::Result<void> {
    for (std::size_t i = 0; i < from.size(); ++i) {
      TRY_VOID(place(body.segments()[i].generation,
                     [&from, i](const std::string& to) { return link_file(from[i], to); }));
    }
    return {};
  };
  CO_TRY_VOID(co_await runtime_.blocking().run(link_all));
  co_return body;
}

Bodies::Pin Bodies::pin(const std::vector<Segment>& segments) {
  const Generation first = segments.front().generation;
  {
    const std::lock_guard lock(mutex_);
    Use& use = uses_[first];
    if (use.released) return nullptr;
    ++use.pins;
  }
  return {this, [first](const Bodies* bodies) { const_cast<Bodies*>(bodies)->unpin(first); }};
}

void Bodies::unpin(const Generation& first) {
  std::vector<Segment> segments;
  {
    const std::lock_guard lock(mutex_);
    const auto use = uses_.find(first);
    if (--use->second.pins > 0) return;
    if (!use->second.released) {
      uses_.erase(use);
      return;
    }
    segments.swap(use->second.segments);
  }
  discard(std::move(segments));
}

void Bodies::release(std::vector<Segment> segments) {
  if (segments.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    Use& use = uses_[segments.front().generation];
    use.released = true;
    if (use.pins > 0) {
      use.segments = std::move(segments);
      return;
    }
  }
  discard(std::move(segments));
}

void Bodies::discard(std::vector<Segment> segments) {
  {
    const std::lock_guard lock(garbage_->mutex);
    garbage_->waiting.push_back(std::move(segments));
    if (std::exchange(garbage_->collecting, true)) return;
  }
  runtime::asio::post(runtime_.control(), [garbage = garbage_] {
    Bodies* const owner = garbage->owner;
    if (owner != nullptr) owner->tasks_.spawn("remove bodies", owner->collect());
  });
}

runtime::Task<void> Bodies::collect() {
  for (;;) {
    std::vector<Segment> segments;
    {
      const std::lock_guard lock(garbage_->mutex);
      garbage_->collecting = !garbage_->waiting.empty();
      if (!garbage_->collecting) co_return;
      segments.swap(garbage_->waiting.front());
      garbage_->waiting.pop_front();
    }
    co_await runtime_.blocking().run([this, &segments] {
      for (const Segment& segment : segments) {
        const auto removed = remove_file(path(segment.generation));
        if (!removed.has_value()) base::log::warning("s3", "{}", base::describe(removed.error()));
      }
    });
    const std::lock_guard lock(mutex_);
    uses_.erase(segments.front().generation);
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
