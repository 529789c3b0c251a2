// The rules of multipart uploads: which parts make an object, and its etag and checksum. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/services/s3/requests.h"

namespace terrarium::s3 {

// Which checksum an upload's object will have, from x-amz-checksum-algorithm and -type.
base::Result<void> choose_checksum(const std::optional<std::string>& algorithm,
                                   const std::optional<std::string>& type, UploadRecord& upload);

base::Result<void> check_part_number(int number);
// Whether a part with this checksum, or none, belongs to the upload.
base::Result<void> check_part_checksum(const UploadRecord& upload,
                                       const std::optional<DeclaredChecksum>& declared);

struct Assembled {
  ObjectRecord record;
  std::vector<Segment> parts;
};
// The object that CompleteMultipartUpload asks for: parts, size, etag and checksum.
base::Result<Assembled> assemble(const CompleteMultipartUploadRequest& request,
                                 const UploadRecord& upload,
                                 const std::map<int, PartRecord>& parts);

std::unexpected<base::Error> no_such_upload(
    const std::string& upload_id, std::source_location where = std::source_location::current());

}  // namespace terrarium::s3
