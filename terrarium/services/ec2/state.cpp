#include "terrarium/services/ec2/state.h"

#include "terrarium/services/ec2/record_descriptions.h"
#include "terrarium/services/ec2/record_json.h"

namespace terrarium::ec2 {
namespace {

template <class T>
std::string key_prefix(const std::string& region) {
  return "ec2/" + region + "/" + std::string(T::kKind) + "/";
}

template <class T>
base::Result<void> load_table(const store::Store& store, const std::string& region,
                              Table<T>& table) {
  const std::string prefix = key_prefix<T>(region);
  const auto cursor = store.scan(store::Table::Control, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(cursor->value(), error);
    T record;
    if (error || !record_json::read(value, record)) {
      return base::fail(base::ErrorKind::Internal,
                        "the record " + std::string(cursor->key()) + " can't be read");
    }
    typename T::Id id = record.id;
    table.emplace(std::move(id), std::move(record));
  }
  return cursor->status();
}

}  // namespace

base::Result<State> State::load(const store::Store& store, const std::string& region) {
  State state;
  base::Result<void> loaded;
  std::apply(
      [&](auto&... table) {
        const auto one = [&]<class Id, class T>(std::map<Id, T>& records) {
          if (loaded.has_value()) loaded = load_table<T>(store, region, records);
        };
        (one(table), ...);
      },
      state.tables_);
  TRY_VOID(std::move(loaded));
  return state;
}

bool RouteTableRecord::is_main() const {
  return std::ranges::any_of(associations, [](const RouteTableAssociationRecord& association) {
    return !association.subnet.has_value();
  });
}

Transaction::~Transaction() {
  for (auto& step : std::views::reverse(undo_)) step(*state_);
}

store::Batch Transaction::take() {
  undo_.clear();
  return std::exchange(batch_, {});
}

template <class T>
void Transaction::remember(const typename T::Id& id) {
  const T* const before = find<T>(id);
  if (before == nullptr) {
    undo_.emplace_back([id](State& state) { std::get<Table<T>>(state.tables_).erase(id); });
  } else {
    undo_.emplace_back([record = *before](State& state) {
      std::get<Table<T>>(state.tables_).insert_or_assign(record.id, record);
    });
  }
}

template <class T>
void Transaction::put(T record) {
  remember<T>(record.id);
  batch_.put(store::Table::Control, key_prefix<T>(scene_.region) + record.id.value,
             boost::json::serialize(record_json::write(record)));
  typename T::Id id = record.id;
  std::get<Table<T>>(state_->tables_).insert_or_assign(std::move(id), std::move(record));
}

template <class T>
void Transaction::erase(const typename T::Id& id) {
  // `id` may lie in the record that goes.
  const typename T::Id kept = id;
  remember<T>(kept);
  batch_.erase(store::Table::Control, key_prefix<T>(scene_.region) + kept.value);
  std::get<Table<T>>(state_->tables_).erase(kept);
}

#define EC2_RECORD(T)                          \
  template void Transaction::put<T>(T record); \
  template void Transaction::erase<T>(const T::Id& id)
EC2_RECORD(VpcRecord);
EC2_RECORD(SubnetRecord);
EC2_RECORD(RouteTableRecord);
EC2_RECORD(InternetGatewayRecord);
EC2_RECORD(NetworkAclRecord);
EC2_RECORD(SecurityGroupRecord);
EC2_RECORD(NetworkInterfaceRecord);
EC2_RECORD(AddressRecord);
EC2_RECORD(NatGatewayRecord);
EC2_RECORD(DhcpOptionsRecord);
EC2_RECORD(KeyPairRecord);
EC2_RECORD(ImageRecord);
EC2_RECORD(LaunchTemplateRecord);
EC2_RECORD(InstanceRecord);
EC2_RECORD(VolumeRecord);
#undef EC2_RECORD

}  // namespace terrarium::ec2
