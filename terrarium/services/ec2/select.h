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
  // Where AWS says it otherwise. {} is the id; of several unknown ids, all of them.
  std::string_view unknown = {};
  std::string_view several_unknown = {};
  std::string_view expecting = {};  // "sg-...", named when an id is malformed
};

// noun_of<Vpc>() and so on: nouns.cpp.
template <class T>
const Noun& noun_of();

base::Error malformed_id(const Noun& noun, const std::string& id);
base::Error unknown_id(const Noun& noun, const std::string& id);
// Of ids that are well formed; kinds that AWS speaks of one by one are named by the first.
base::Error unknown_ids(const Noun& noun, const std::vector<std::string>& ids);

// The record, or AWS's refusal of the id.
template <class T>
base::Result<const T*> require(const State& state, const std::string& id) {
  const T* const found = state.find<T>(typename T::Id(id));
  if (found != nullptr) return found;
  const Noun& noun = noun_of<T>();
  const bool well_formed = is_id_text(id, id_prefix(typename T::Id()));
  return std::unexpected(well_formed ? unknown_id(noun, id) : malformed_id(noun, id));
}

// All of the records, each once, in the order named.
template <class T>
base::Result<std::vector<const T*>> require_all(const State& state,
                                                const std::vector<std::string>& ids) {
  std::vector<const T*> found;
  std::vector<std::string> unknown;
  for (const std::string& id : ids) {
    const auto record = require<T>(state, id);
    if (record.has_value()) {
      if (std::ranges::find(found, *record) == found.end()) found.push_back(*record);
    } else if (is_id_text(id, id_prefix(typename T::Id()))) {
      unknown.push_back(id);
    } else {
      return std::unexpected(record.error());
    }
  }
  if (!unknown.empty()) return std::unexpected(unknown_ids(noun_of<T>(), unknown));
  return found;
}

struct PageRequest {
  std::optional<std::int32_t> max_results;
  std::optional<std::string> next_token;
  // AWS's usual bounds of MaxResults.
  std::int32_t results_min = 5;
  std::int32_t results_max = 1000;
};

// A token is opaque, and good for the id after which the next page begins.
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
    TRY(found, require_all<T>(state, *ids));
    std::ranges::sort(found, {}, [](const T* record) { return record->id; });
  } else {
    for (const T& record : state.all<T>()) found.push_back(&record);
  }
  std::erase_if(found,
                [&](const T* record) { return !set.match(state, *record, record->tags, fields); });
  return paginate(std::move(found), page);
}

// The record that a client token made in the same VPC, for kinds that are made of nothing else;
// null when the token is new.
template <class T>
base::Result<const T*> made_with_token(const State& state, const std::string& token,
                                       const std::string& vpc) {
  if (token.empty()) return nullptr;
  for (const T& record : state.all<T>()) {
    if (record.client_token != token) continue;
    if (record.vpc.value == vpc) return &record;
    return base::fail(
        errors::kIdempotentParameterMismatch,
        "The client token '" + token + "' was used before, with other parameters than now.");
  }
  return nullptr;
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
