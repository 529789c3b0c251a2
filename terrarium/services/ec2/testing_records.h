// For tests of rules: the records of one region, seeded as a new account's, without a store.
#pragma once

#include <utility>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "terrarium/services/ec2/seed.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

class TestingRecords {
 public:
  TestingRecords() {
    Transaction transaction(state_, scene());
    seed_region(transaction);
    batch_ = transaction.take();
  }

  const State& state() const { return state_; }
  Scene scene() {
    return {"us-east-1", "000000000000", "arn:aws:iam::000000000000:root", now, &random_};
  }
  // Runs a rule; what it did stays when it succeeds.
  template <class Rule>
  auto change(Rule rule) {
    Transaction transaction(state_, scene());
    auto answer = rule(transaction);
    if (answer.has_value()) batch_.append(transaction.take());
    return answer;
  }
  VpcId default_vpc() const {
    for (const VpcRecord& vpc : state_.all<VpcRecord>()) {
      if (vpc.is_default) return vpc.id;
    }
    return {};
  }
  // Everything that was ever written.
  store::Batch batch() const { return batch_; }

  base::Timestamp now{std::chrono::seconds(1'700'000'000)};

 private:
  base::SeededRandom random_{7};
  State state_;
  store::Batch batch_;
};

}  // namespace terrarium::ec2
