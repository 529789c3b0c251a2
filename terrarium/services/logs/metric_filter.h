// Metric filters: which values an event gives to which metrics. Pure: CloudWatch takes them from
// here once it keeps metrics; until then filters are records that TestMetricFilter can try.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/logs/pattern.h"
#include "terrarium/services/logs/records.h"

namespace terrarium::logs {

struct MetricValue {
  std::string metric_namespace;
  std::string metric_name;
  double value = 0;
  std::string unit;  // "None" when the filter names none
  std::map<std::string, std::string> dimensions;
};

class CompiledMetricFilter {
 public:
  static base::Result<CompiledMetricFilter> compile(const MetricFilterRecord& record);

  // For this event. Nothing when it does not match, when the value is no number, or when a
  // dimension is not in the event.
  std::vector<MetricValue> values(std::string_view message) const;
  // For a minute in which events came and none matched.
  std::vector<MetricValue> default_values() const;

 private:
  CompiledMetricFilter(MetricFilterRecord record, Pattern pattern)
      : record_(std::move(record)), pattern_(std::move(pattern)) {}
  MetricFilterRecord record_;
  Pattern pattern_;
};

}  // namespace terrarium::logs
