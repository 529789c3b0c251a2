#include "terrarium/host/linux/launch_plan.h"

#include <charconv>

namespace terrarium::host::linux_host {
namespace {

// Texts are "length:bytes", numbers are texts, lists are their size and their elements. One
// description of the members serves both directions.
class Writer {
 public:
  void member(const std::string& text) { bytes_ += std::to_string(text.size()) + ':' + text; }
  template <class Number>
    requires std::is_integral_v<Number>
  void member(Number number) {
    member(std::to_string(static_cast<std::int64_t>(number)));
  }
  template <class Element>
  void member(const std::vector<Element>& list) {
    member(list.size());
    for (const Element& element : list) member(element);
  }
  template <class Record>
    requires requires(const Record& record, Writer& writer) { describe(record, writer); }
  void member(const Record& record) {
    describe(record, *this);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  void member(std::string& text) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
    const auto digits = static_cast<std::size_t>(end - rest_.data());
    if (error != std::errc() || digits >= rest_.size() || rest_[digits] != ':' ||
        size > rest_.size() - digits - 1) {
      good_ = false;
      rest_ = {};
      return;
    }
    text = rest_.substr(digits + 1, size);
    rest_.remove_prefix(digits + 1 + size);
  }
  template <class Number>
    requires std::is_integral_v<Number>
  void member(Number& number) {
    std::string text;
    member(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) good_ = false;
    number = static_cast<Number>(value);
  }
  template <class Element>
  void member(std::vector<Element>& list) {
    std::size_t size = 0;
    member(size);
    // An element takes two bytes at least: a wrong size ends with the bytes.
    for (std::size_t i = 0; i < size && good_ && !rest_.empty(); ++i) {
      member(list.emplace_back());
    }
    if (list.size() != size) good_ = false;
  }
  template <class Record>
    requires requires(Record& record, Reader& reader) { describe(record, reader); }
  void member(Record& record) {
    describe(record, *this);
  }
  bool complete() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

template <class Plan, class Archive>
  requires std::is_same_v<std::remove_const_t<Plan>, PlannedFile>
void describe(Plan& file, Archive& archive) {
  archive.member(file.path);
  archive.member(file.content);
  archive.member(file.mode);
}

template <class Plan, class Archive>
  requires std::is_same_v<std::remove_const_t<Plan>, PlannedFolder>
void describe(Plan& folder, Archive& archive) {
  archive.member(folder.host);
  archive.member(folder.path);
  archive.member(folder.writable);
}

template <class Plan, class Archive>
  requires std::is_same_v<std::remove_const_t<Plan>, LaunchPlan>
void describe(Plan& plan, Archive& archive) {
  archive.member(plan.name);
  archive.member(plan.folder);
  archive.member(plan.layers);
  archive.member(plan.first_id);
  archive.member(plan.network_namespace);
  archive.member(plan.hostname);
  archive.member(plan.cgroups);
  archive.member(plan.folders);
  archive.member(plan.first_cpu);
  archive.member(plan.cpus);
  archive.member(plan.filter);
  archive.member(plan.files);
  archive.member(plan.env);
  archive.member(plan.boot);
  archive.member(plan.login_user);
  archive.member(plan.first_files);
  archive.member(plan.authorized_keys);
  archive.member(plan.scripts);
  archive.member(plan.notices);
  archive.member(plan.command);
  archive.member(plan.command_user);
  archive.member(plan.stop_signal);
}

}  // namespace

std::string encode(const LaunchPlan& plan) {
  Writer writer;
  describe(plan, writer);
  return writer.take();
}

std::optional<LaunchPlan> decode_launch_plan(std::string_view bytes) {
  Reader reader(bytes);
  LaunchPlan plan;
  describe(plan, reader);
  if (!reader.complete()) return std::nullopt;
  return plan;
}

}  // namespace terrarium::host::linux_host
