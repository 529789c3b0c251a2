// Lambda's limits, in one place. Sources: AWS "Lambda quotas" and the API reference.
#pragma once

#include <cstdint>

#include "lib/base/clock.h"

namespace terrarium::lambda {

using namespace std::chrono_literals;

// Functions
inline constexpr std::int32_t kTimeoutMaxSeconds = 900;
inline constexpr std::int32_t kMemoryMinMb = 128;
inline constexpr std::int32_t kMemoryMaxMb = 10'240;
inline constexpr std::int32_t kEphemeralMinMb = 512;
inline constexpr std::int32_t kEphemeralMaxMb = 10'240;
inline constexpr std::size_t kDescriptionBytesMax = 256;
inline constexpr std::size_t kHandlerBytesMax = 128;
inline constexpr std::size_t kVariablesBytesMax = 4096;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kPolicyBytesMax = 20 * 1024;
inline constexpr std::size_t kPageItemsMax = 50;
inline constexpr std::size_t kLayersMax = 5;

// Code
inline constexpr std::uint64_t kZipBytesMax = 262'144'000;       // a zip in S3
inline constexpr std::uint64_t kDirectZipBytesMax = 52'428'800;  // a zip in a request
inline constexpr std::uint64_t kUnzippedBytesMax = 262'144'000;  //
inline constexpr std::size_t kZipEntriesMax = 50'000;

// Invocations
inline constexpr std::size_t kPayloadBytesMax = 6 * 1024 * 1024;
inline constexpr std::size_t kResponseBytesMax = 6 * 1024 * 1024 + 100;
inline constexpr std::size_t kEventBytesMax = 1024 * 1024;
inline constexpr std::size_t kErrorBodyBytesMax = 256 * 1024;
inline constexpr std::size_t kClientContextBytesMax = 3583;
inline constexpr std::size_t kLogTailBytes = 4096;
inline constexpr base::Duration kInitTimeout = 10s;

// Concurrency: what AWS gives a new account. The machine's own bound is in Config.
inline constexpr std::int32_t kAccountConcurrency = 1000;
inline constexpr std::int32_t kUnreservedConcurrencyMin = 100;

// Asynchronous invocations
inline constexpr std::uint32_t kEventRetriesMax = 2;
inline constexpr base::Duration kEventAgeMax = 6h;
// Functions that invoke each other through their destinations are stopped after so many rounds.
inline constexpr std::uint32_t kHopsMax = 16;
inline constexpr std::size_t kQueuedEventsMax = 100'000;  // of one function

// Event source mappings
inline constexpr std::int32_t kBatchSizeWithoutWindowMax = 10;
inline constexpr std::size_t kFiltersMax = 5;

// A moment that no timer reaches, and that no clock's arithmetic overflows on.
inline constexpr base::Timestamp kNever{std::chrono::seconds(7'000'000'000)};

}  // namespace terrarium::lambda
