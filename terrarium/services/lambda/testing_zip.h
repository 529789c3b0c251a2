// For tests: zips made of texts.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <vector>

namespace terrarium::lambda {

struct ZipEntry {
  std::string path;
  std::string content;  // of a link: its target
  unsigned mode = 0644;
  unsigned kind = AE_IFREG;
};

inline std::string zip_of(const std::vector<ZipEntry>& entries) {
  std::size_t room = 64 * 1024;
  for (const ZipEntry& entry : entries) room += 2 * entry.content.size() + 1024;
  std::string bytes(room, '\0');
  std::size_t used = 0;
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_zip(writer);
  ::archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const ZipEntry& entry : entries) {
    archive_entry* header = ::archive_entry_new();
    ::archive_entry_set_pathname(header, entry.path.c_str());
    ::archive_entry_set_filetype(header, entry.kind);
    ::archive_entry_set_perm(header, static_cast<__LA_MODE_T>(entry.mode));
    if (entry.kind == AE_IFLNK) {
      ::archive_entry_set_symlink(header, entry.content.c_str());
    } else {
      ::archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
    }
    ::archive_write_header(writer, header);
    if (entry.kind == AE_IFREG) {
      ::archive_write_data(writer, entry.content.data(), entry.content.size());
    }
    ::archive_entry_free(header);
  }
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

}  // namespace terrarium::lambda
