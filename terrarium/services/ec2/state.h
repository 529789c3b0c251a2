// All EC2 records of one AWS region, in memory, and the only way to change them.
//
// A rule is a pure function over a Transaction: it reads, puts and erases, and later reads see what
// it did. When it fails, the transaction is dropped and everything is as before; when it succeeds,
// Core::commit writes the batch. No await lies between the two, so rules are atomic on the control
// executor, where all of this is used.
#pragma once

#include <functional>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/compute_records.h"
#include "terrarium/services/ec2/records.h"
#include "terrarium/store/store.h"

namespace terrarium::ec2 {

template <class T>
using Table = std::map<typename T::Id, T>;

class State {
 public:
  // Nothing when there is no such record. Valid until the record is put or erased.
  template <class T>
  const T* find(const typename T::Id& id) const {
    const Table<T>& table = std::get<Table<T>>(tables_);
    const auto found = table.find(id);
    return found == table.end() ? nullptr : &found->second;
  }
  // In the order of ids.
  template <class T>
  auto all() const {
    return std::views::values(std::get<Table<T>>(tables_));
  }
  template <class T>
  std::size_t count() const {
    return std::get<Table<T>>(tables_).size();
  }

  // Reads what the store has of `region`.
  static base::Result<State> load(const store::Store& store, const std::string& region);

 private:
  friend class Transaction;
  std::tuple<Table<VpcRecord>, Table<SubnetRecord>, Table<RouteTableRecord>,
             Table<InternetGatewayRecord>, Table<NetworkAclRecord>, Table<SecurityGroupRecord>,
             Table<NetworkInterfaceRecord>, Table<AddressRecord>, Table<NatGatewayRecord>,
             Table<DhcpOptionsRecord>, Table<KeyPairRecord>, Table<ImageRecord>,
             Table<LaunchTemplateRecord>, Table<InstanceRecord>, Table<VolumeRecord>>
      tables_;
};

// Where and when, of a change.
struct Scene {
  std::string region;  // "us-east-1"
  std::string account;
  std::string caller_arn;
  base::Timestamp now;
  base::Random* random = nullptr;
  // Every region's records: public addresses are of one internet. Null: this region is alone.
  const std::map<std::string, State, std::less<>>* regions = nullptr;
  // What a rule changes is dropped.
  bool dry_run = false;
};

class Transaction {
 public:
  Transaction(State& state, Scene scene) : state_(&state), scene_(std::move(scene)) {}
  // Undoes what was not taken.
  ~Transaction();
  Transaction(Transaction&&) = delete;

  const State& state() const { return *state_; }
  const Scene& scene() const { return scene_; }
  base::Timestamp now() const { return scene_.now; }
  base::Random& random() const { return *scene_.random; }

  template <class T>
  const T* find(const typename T::Id& id) const {
    return state_->find<T>(id);
  }
  // Replaces the record of the same id. References to the old one are void.
  template <class T>
  void put(T record);
  template <class T>
  void erase(const typename T::Id& id);

  bool empty() const { return batch_.empty(); }
  // What is to be written.
  const store::Batch& batch() const { return batch_; }
  // The changes stay.
  store::Batch take();

 private:
  template <class T>
  void remember(const typename T::Id& id);

  State* state_;
  Scene scene_;
  store::Batch batch_;
  std::vector<std::function<void(State&)>> undo_;  // run backwards
};

}  // namespace terrarium::ec2
