#include <gtest/gtest.h>

#include <cstdlib>

#include "messageboard/api/integration/postgres_server.h"

int main(int count, char** values) {
  testing::InitGoogleTest(&count, values);
  setenv("AWS_ACCESS_KEY_ID", "test", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "test", 1);
  setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  messageboard::PostgresServer postgres;
  return RUN_ALL_TESTS();
}
