// What every Describe operation does: the records named, or all; those that its filters let
// through; a page of them. And what every other operation does with an id that came from outside.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/filter.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// How AWS speaks of a kind when an id is wrong.
struct Noun {
  std::string_view title;  // "vpc ID": "The vpc ID 'vpc-1' does not exist"
  const base::ErrorRow& not_found;
  const base::ErrorRow& malformed;
};

// noun_of<Vpc>() and so on: nouns.cpp.
template <class T>
const Noun& noun_of();

base::Error malformed_id(const Noun& noun, const std::string& id);
base::Error unknown_id(const Noun& noun, const std::string& id);

// The record, or AWS's refusal of the id.
template <class T>
base::Result<const T*> require(const State& state, const std::string& id) {
  const T* const found = state.find<T>(typename T::Id(id));
  if (found != nullptr) return found;
  const Noun& noun = noun_of<T>();
  const bool well_formed = is_id_text(id, id_prefix(typename T::Id()));
  return std::unexpected(well_formed ? unknown_id(noun, id) : malformed_id(noun, id));
}

struct PageRequest {
  std::optional<std::int32_t> max_results;
  std::optional<std::string> next_token;
};

// AWS's bounds of MaxResults: 5 to 1000. A token is opaque, and good for the id after which the
// next page begins.
base::Result<void> check_page(const PageRequest& page);
std::string page_token(const std::string& last_id);
base::Result<std::string> page_start(const std::string& token);

template <class T>
struct Page {
  std::vector<const T*> records;
  std::optional<std::string> next_token;
};

template <class T>
base::Result<Page<T>> paginate(std::vector<const T*> records, const PageRequest& request) {
  TRY_VOID(check_page(request));
  Page<T> page;
  std::string after;
  if (request.next_token.has_value()) {
    TRY(after, page_start(*request.next_token));
  }
  for (const T* record : records) {
    if (record->id.value <= after) continue;
    if (request.max_results.has_value() &&
        page.records.size() == static_cast<std::size_t>(*request.max_results)) {
      page.next_token = page_token(page.records.back()->id.value);
      break;
    }
    page.records.push_back(record);
  }
  return page;
}

template <class T>
base::Result<Page<T>> select(const State& state, const std::optional<std::vector<std::string>>& ids,
                             const std::optional<std::vector<Filter>>& filters,
                             std::span<const FilterField<T>> fields, const PageRequest& page = {}) {
  TRY(const FilterSet set, FilterSet::of(filters));
  TRY_VOID(set.check(fields));
  std::vector<const T*> found;
  if (ids.has_value() && !ids->empty()) {
    for (const std::string& id : *ids) {
      TRY(const T* const record, require<T>(state, id));
      found.push_back(record);
    }
    std::ranges::sort(found, {}, [](const T* record) { return record->id; });
    found.erase(std::ranges::unique(found).begin(), found.end());
  } else {
    for (const T& record : state.all<T>()) found.push_back(&record);
  }
  std::erase_if(found,
                [&](const T* record) { return !set.match(state, *record, record->tags, fields); });
  return paginate(std::move(found), page);
}

// A filter that all records of a region answer alike: {"owner-id", account}.
struct SharedValue {
  std::string_view name;
  std::string value;
};
struct SharedFilters {
  std::vector<Filter> rest;  // the others
  bool fit = true;
};
SharedFilters split_shared(const std::optional<std::vector<Filter>>& filters,
                           std::span<const SharedValue> shared);

// select() for kinds that have such filters.
template <class T>
base::Result<Page<T>> select_shared(const State& state, std::span<const SharedValue> shared,
                                    const std::optional<std::vector<std::string>>& ids,
                                    const std::optional<std::vector<Filter>>& filters,
                                    std::span<const FilterField<T>> fields,
                                    const PageRequest& page = {}) {
  SharedFilters split = split_shared(filters, shared);
  TRY(auto found, select<T>(state, ids, std::optional(std::move(split.rest)), fields, page));
  if (!split.fit) return Page<T>{};
  return found;
}

}  // namespace terrarium::ec2
