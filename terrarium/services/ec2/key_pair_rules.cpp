#include "terrarium/services/ec2/key_pair_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/ssh_keys.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kNameCharactersMax = 255;

const KeyPairRecord* find_by_name(const State& state, const std::string& name) {
  const auto all = state.all<KeyPairRecord>();
  const auto found = std::ranges::find(all, name, &KeyPairRecord::name);
  return found == all.end() ? nullptr : &*found;
}

base::Result<void> check_new(const State& state, const std::string& name) {
  if (name.empty()) return std::unexpected(missing("KeyName"));
  const bool ascii = std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
  if (!ascii || name.size() > kNameCharactersMax || name.front() == ' ' || name.back() == ' ') {
    return std::unexpected(invalid_value(
        name, "KeyName", "Up to 255 ASCII characters, no space at either end, are allowed."));
  }
  if (find_by_name(state, name) != nullptr) {
    return base::fail(errors::kInvalidKeyPairDuplicate,
                      "The keypair '" + name + "' already exists.");
  }
  if (state.count<KeyPairRecord>() >= kKeyPairsMax) {
    return base::fail(errors::kResourceLimitExceeded,
                      "The maximum number of key pairs has been reached.");
  }
  return {};
}

base::Result<SshKeyKind> kind_of(const std::string& type) {
  if (type == "rsa") return SshKeyKind::Rsa;
  if (type == "ed25519") return SshKeyKind::Ed25519;
  return std::unexpected(invalid_value(type, "KeyType", "Valid values are rsa and ed25519."));
}

std::string type_text(SshKeyKind kind) { return kind == SshKeyKind::Rsa ? "rsa" : "ed25519"; }

constexpr std::array kKeyPairFilters{
    FilterField<KeyPairRecord>{
        "fingerprint",
        [](const State&, const KeyPairRecord& pair) { return FilterValues{pair.fingerprint}; }},
    FilterField<KeyPairRecord>{
        "key-name",
        [](const State&, const KeyPairRecord& pair) { return FilterValues{pair.name}; }},
    FilterField<KeyPairRecord>{
        "key-pair-id",
        [](const State&, const KeyPairRecord& pair) { return FilterValues{pair.id.value}; }},
};

}  // namespace

base::Result<KeyPair> create_key_pair(Transaction& transaction,
                                      const CreateKeyPairRequest& request) {
  const std::string format = request.key_format.value_or("pem");
  TRY_VOID(refuse({{"KeyFormat=ppk", format == "ppk"}}));
  if (format != "pem") {
    return std::unexpected(invalid_value(format, "KeyFormat", "Valid values are pem and ppk."));
  }
  TRY_VOID(check_new(transaction.state(), request.key_name));
  TRY(const SshKeyKind kind, kind_of(request.key_type.value_or("rsa")));
  TRY(Tags tags, tags_for(request.tag_specifications, "key-pair"));
  TRY(MadeSshKey key, make_ssh_key(kind, request.key_name));
  KeyPairRecord pair{.id = new_id<KeyPairId>(transaction.random()),
                     .name = request.key_name,
                     .type = type_text(kind),
                     .fingerprint = key.fingerprint,
                     .public_key = key.public_key + " " + request.key_name,
                     .created = transaction.now(),
                     .tags = std::move(tags)};
  KeyPair answer{.key_fingerprint = pair.fingerprint,
                 .key_material = std::move(key.private_key),
                 .key_name = pair.name,
                 .key_pair_id = pair.id.value,
                 .tags = tag_list(pair.tags)};
  transaction.put(std::move(pair));
  return answer;
}

base::Result<ImportKeyPairResult> import_key_pair(Transaction& transaction,
                                                  const ImportKeyPairRequest& request) {
  TRY_VOID(check_new(transaction.state(), request.key_name));
  TRY(Tags tags, tags_for(request.tag_specifications, "key-pair"));
  TRY(TakenSshKey key, take_ssh_key(request.public_key_material));
  KeyPairRecord pair{.id = new_id<KeyPairId>(transaction.random()),
                     .name = request.key_name,
                     .type = type_text(key.kind),
                     .fingerprint = std::move(key.fingerprint),
                     .public_key = key.public_key + " " + request.key_name,
                     .created = transaction.now(),
                     .tags = std::move(tags)};
  ImportKeyPairResult answer{.key_fingerprint = pair.fingerprint,
                             .key_name = pair.name,
                             .key_pair_id = pair.id.value,
                             .tags = tag_list(pair.tags)};
  transaction.put(std::move(pair));
  return answer;
}

base::Result<DescribeKeyPairsResult> describe_key_pairs(const State& state,
                                                        const DescribeKeyPairsRequest& request) {
  std::vector<std::string> ids = request.key_pair_ids.value_or(std::vector<std::string>{});
  for (const std::string& name : request.key_names.value_or(std::vector<std::string>{})) {
    const KeyPairRecord* const pair = find_by_name(state, name);
    if (pair == nullptr) return std::unexpected(unknown_id(noun_of<KeyPairRecord>(), name));
    ids.push_back(pair->id.value);
  }
  TRY(const auto page, select<KeyPairRecord>(state, ids, request.filters, kKeyPairFilters));
  DescribeKeyPairsResult result{.key_pairs = std::vector<KeyPairInfo>{}};
  for (const KeyPairRecord* pair : page.records) {
    KeyPairInfo& info = result.key_pairs->emplace_back();
    info = {.key_pair_id = pair->id.value,
            .key_fingerprint = pair->fingerprint,
            .key_name = pair->name,
            .key_type = pair->type,
            .tags = tag_list(pair->tags),
            .create_time = pair->created};
    if (request.include_public_key.value_or(false)) info.public_key = pair->public_key;
  }
  return result;
}

base::Result<DeleteKeyPairResult> delete_key_pair(Transaction& transaction,
                                                  const DeleteKeyPairRequest& request) {
  if (!request.key_name.has_value() && !request.key_pair_id.has_value()) {
    return std::unexpected(missing("KeyName or KeyPairId"));
  }
  const KeyPairRecord* const pair =
      request.key_pair_id.has_value()
          ? transaction.find<KeyPairRecord>(KeyPairId(*request.key_pair_id))
          : find_by_name(transaction.state(), *request.key_name);
  // What is not there any more is deleted: AWS leaves only its id out.
  DeleteKeyPairResult result{.return_ = true};
  if (pair == nullptr) return result;
  result.key_pair_id = pair->id.value;
  transaction.erase<KeyPairRecord>(pair->id);
  return result;
}

}  // namespace terrarium::ec2
