#include "terrarium/services/logs/metric_filter.h"

#include <charconv>
#include <cmath>

namespace terrarium::logs {
namespace {

bool is_reference(std::string_view value) { return value.starts_with('$'); }

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> resolve(const Pattern::Values& values, const std::string& text) {
  if (!is_reference(text)) return text;
  const auto found = values.find(text);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

MetricValue outline(const MetricTransformationRecord& made) {
  return {.metric_namespace = made.metric_namespace,
          .metric_name = made.metric_name,
          .unit = made.unit.value_or("None")};
}

}  // namespace

base::Result<CompiledMetricFilter> CompiledMetricFilter::compile(const MetricFilterRecord& record) {
  std::vector<std::string> references;
  for (const MetricTransformationRecord& made : record.transformations) {
    if (is_reference(made.metric_value)) references.push_back(made.metric_value);
    for (const auto& [name, value] : made.dimensions) {
      if (is_reference(value)) references.push_back(value);
    }
  }
  TRY(Pattern pattern, Pattern::parse(record.pattern, references));
  return CompiledMetricFilter(record, std::move(pattern));
}

std::vector<MetricValue> CompiledMetricFilter::values(std::string_view message) const {
  std::vector<MetricValue> out;
  const auto extracted = pattern_.extract(message);
  if (!extracted) return out;
  for (const MetricTransformationRecord& made : record_.transformations) {
    MetricValue value = outline(made);
    const auto text = resolve(*extracted, made.metric_value);
    const auto number = text ? parse_number(*text) : std::nullopt;
    bool complete = number.has_value();
    for (const auto& [name, reference] : made.dimensions) {
      auto dimension = resolve(*extracted, reference);
      complete = complete && dimension.has_value();
      if (dimension) value.dimensions[name] = *std::move(dimension);
    }
    if (!complete) continue;
    value.value = *number;
    out.push_back(std::move(value));
  }
  return out;
}

std::vector<MetricValue> CompiledMetricFilter::default_values() const {
  std::vector<MetricValue> out;
  for (const MetricTransformationRecord& made : record_.transformations) {
    if (!made.default_value) continue;
    MetricValue value = outline(made);
    value.value = *made.default_value;
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace terrarium::logs
