#include "lib/base/log.h"
#include "messageboard/api/handlers.h"
#include "messageboard/api/picture_store.h"
#include "messageboard/api/sweeper.h"

namespace messageboard {
namespace {

using namespace std::chrono_literals;
using runtime::Task;

constexpr base::Duration kPutTimeout = 30s;
constexpr base::Duration kLookTimeout = 1s;
constexpr std::size_t kLooksMax = 32;  // at once, of one thread's reads

struct Row {
  std::int64_t id = 0;
  std::string filename;
  std::string key;
  ImageStatus status = ImageStatus::pending;
};

Row row_of(const Rows& rows, std::size_t row) {
  return {.id = rows.integer(row, 0),
          .filename = std::string(rows.text(row, 1)),
          .key = std::string(rows.text(row, 2)),
          .status = parse_status(rows.text(row, 3)).value_or(ImageStatus::pending)};
}

Image image_of(const Config& config, const Row& row) {
  return {.filename = row.filename,
          .raw_img_src = picture_url(config, config.raw_bucket, row.key),
          .processed_img_src = picture_url(config, config.processed_bucket, row.key),
          .id = row.id,
          .status = row.status};
}

std::vector<Image> images_of(const Config& config, const Rows& rows) {
  std::vector<Image> images;
  images.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    images.push_back(image_of(config, row_of(rows, i)));
  }
  return images;
}

Refusal not_taken(PictureProblem problem) {
  switch (problem) {
    case PictureProblem::NotAPicture: return {415, "The file is not a JPEG, PNG or WebP picture"};
    case PictureProblem::Animated: return {415, "Animated pictures are not supported"};
    case PictureProblem::Damaged:
      return {415, "The picture is damaged: its header is not readable"};
    case PictureProblem::TooManyPixels: return {413, "The picture has more than 50 megapixels"};
  }
  return {415, "The file is not a picture"};
}

}  // namespace

// First the object, then the row: a row never points to nothing. An upload refused in between
// leaves an object that nobody sees.
Task<Answer<Image>> upload_and_create_image(Worker& worker, File<"file"> file) {
  Upload& upload = file.value;
  const auto picture = read_picture_header(upload.bytes);
  if (!picture) co_return std::unexpected(not_taken(picture.error()));
  if (!worker.database.connected()) {
    co_return refuse(503, "The database is not available, try again later");
  }
  Shared& shared = worker.shared;
  const Config& config = shared.config;
  Row row{.key = new_picture_key(shared.random, picture->format)};
  const auto stored =
      co_await worker.s3.put_object(config.raw_bucket, row.key,
                                    {.bytes = std::move(upload.bytes),
                                     .content_type = std::string(content_type(picture->format)),
                                     .metadata = {}},
                                    shared.clock.now() + kPutTimeout);
  if (!stored) {
    base::log::error("board", "cannot store a picture: {}", base::describe(stored.error()));
    co_return refuse(503, "The picture store is not available, try again later");
  }
  row.filename = std::move(upload.filename);
  auto rows = co_await worker.database.run(Statement::InsertImage, {row.filename, row.key});
  if (!rows) co_return refuse(rows.error());
  row.id = rows->integer(0, 0);
  if (shared.sweeper != nullptr) shared.sweeper->expect(row.id, row.key);
  co_return image_of(config, row);
}

Task<Answer<std::vector<Image>>> read_images(Worker& worker, Skip skip, Limit limit) {
  auto rows = co_await worker.database.run(
      Statement::ReadImages, {std::to_string(skip.value), std::to_string(limit.value)});
  if (!rows) co_return refuse(rows.error());
  co_return images_of(worker.shared.config, *rows);
}

Task<Answer<std::vector<Image>>> recent_images(Worker& worker, Before before, BoardLimit limit) {
  auto rows = co_await worker.database.run(
      Statement::RecentImages, {std::to_string(before.value), std::to_string(limit.value)});
  if (!rows) co_return refuse(rows.error());
  co_return images_of(worker.shared.config, *rows);
}

Task<Answer<Image>> read_image(Worker& worker, Path<"image_id"> image_id) {
  auto rows = co_await worker.database.run(Statement::ReadImage, {std::to_string(image_id.value)});
  if (!rows) co_return refuse(rows.error());
  if (rows->size() == 0) co_return refuse(404, "Image not found");
  Row row = row_of(*rows, 0);
  if (row.status != ImageStatus::processed && worker.pictures_looked_up < kLooksMax) {
    ++worker.pictures_looked_up;
    const auto now = co_await look_up(worker, row.key, worker.shared.clock.now() + kLookTimeout);
    --worker.pictures_looked_up;
    // The sweeper writes it down; what S3 does not tell now it will tell the sweeper.
    row.status = now.value_or(row.status);
  }
  co_return image_of(worker.shared.config, row);
}

}  // namespace messageboard
