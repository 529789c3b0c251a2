#include "terrarium/services/iam/service.h"

#include <algorithm>

#include "generated/iam/errors.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kIdLetters = 17;

}  // namespace

Service::Service(store::Store& store, base::Clock& clock, base::Random& random, Config config)
    : store_(store), clock_(clock), random_(random), config_(std::move(config)) {}

Result<std::optional<Entity>> Service::read(Kind kind, const std::string& name) const {
  const std::string key = std::string(kind == Kind::User ? kUserPrefix : kRolePrefix) + name;
  TRY(const std::optional<std::string> text, store_.get(store::Table::Control, key));
  if (!text) return std::optional<Entity>();
  TRY(Entity entity, parse_entity(*text));
  return std::optional<Entity>(std::move(entity));
}

Result<Entity> Service::need(Kind kind, const std::string& name) const {
  TRY(std::optional<Entity> found, read(kind, name));
  if (found) return *std::move(found);
  return base::fail(errors::kNoSuchEntityException,
                    "The " + std::string(kind == Kind::User ? "user" : "role") + " with name " +
                        name + " cannot be found.");
}

Task<Result<wire::Empty>> Service::save(Kind kind, Entity entity) {
  store::Batch batch;
  batch.put(store::Table::Control,
            std::string(kind == Kind::User ? kUserPrefix : kRolePrefix) + entity.name,
            to_text(entity));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Result<Service::Page> Service::page(Kind kind, const std::optional<std::string>& path_prefix,
                                    const std::optional<std::string>& marker,
                                    std::optional<std::int32_t> max_items) const {
  const std::string_view prefix = kind == Kind::User ? kUserPrefix : kRolePrefix;
  const std::size_t limit =
      static_cast<std::size_t>(std::clamp(max_items.value_or(kListItemsDefault), 1, kListItemsMax));
  Page found;
  const std::string begin = std::string(prefix) + marker.value_or("");
  const auto cursor = store_.scan(store::Table::Control, begin, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(Entity entity, parse_entity(cursor->value()));
    if (!entity.path.starts_with(path_prefix.value_or("/"))) continue;
    if (found.entities.size() == limit) {
      found.marker = entity.name;
      break;
    }
    found.entities.push_back(std::move(entity));
  }
  return found;
}

std::string Service::new_id(std::string_view prefix) {
  return std::string(prefix) + random_.text(kIdLetters, kIdAlphabet);
}

std::string Service::arn(Kind kind, const Entity& entity) const {
  return "arn:aws:iam::" + config_.account + (kind == Kind::User ? ":user" : ":role") +
         entity.path + entity.name;
}

}  // namespace terrarium::iam
