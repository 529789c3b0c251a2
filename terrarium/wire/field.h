// How generated descriptors reach into generated structures: one captureless function per field and
// per container type, so that the codecs stay free of templates. Included by model.cpp files only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "terrarium/wire/model.h"

namespace terrarium::wire {

template <class T>
struct FieldOf;
template <class Structure, class T>
struct FieldOf<T Structure::*> {
  using Owner = Structure;
  using Type = T;
};

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsShared = false;
template <class T>
inline constexpr bool kIsShared<std::shared_ptr<T>> = true;

template <auto Pointer>
const void* get_field(const void* structure) {
  using Field = FieldOf<decltype(Pointer)>;
  const auto& field = static_cast<const typename Field::Owner*>(structure)->*Pointer;
  if constexpr (kIsOptional<typename Field::Type>) {
    return field.has_value() ? &*field : nullptr;
  } else if constexpr (kIsShared<typename Field::Type>) {
    return field.get();
  } else {
    return &field;
  }
}

template <auto Pointer>
void* ensure_field(void* structure) {
  using Field = FieldOf<decltype(Pointer)>;
  auto& field = static_cast<typename Field::Owner*>(structure)->*Pointer;
  if constexpr (kIsOptional<typename Field::Type>) {
    return field.has_value() ? &*field : &field.emplace();
  } else if constexpr (kIsShared<typename Field::Type>) {
    if (field == nullptr) field = std::make_shared<typename Field::Type::element_type>();
    return field.get();
  } else {
    return &field;
  }
}

template <class T>
std::shared_ptr<void> make_shared() {
  return std::make_shared<T>();
}

template <class T>
std::size_t list_size(const void* list) {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no addressable elements");
  return static_cast<const std::vector<T>*>(list)->size();
}

template <class T>
const void* list_at(const void* list, std::size_t index) {
  return &(*static_cast<const std::vector<T>*>(list))[index];
}

template <class T>
void* list_append(void* list) {
  return &static_cast<std::vector<T>*>(list)->emplace_back();
}

template <class T>
std::size_t map_size(const void* map) {
  return static_cast<const std::map<std::string, T>*>(map)->size();
}

template <class T>
void* map_insert(void* map, std::string key) {
  return &(*static_cast<std::map<std::string, T>*>(map))[std::move(key)];
}

template <class T>
void map_for_each(const void* map, void* context,
                  void (*visit)(void* context, std::string_view key, const void* value)) {
  for (const auto& [key, value] : *static_cast<const std::map<std::string, T>*>(map)) {
    visit(context, key, &value);
  }
}

}  // namespace terrarium::wire
