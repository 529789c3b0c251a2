#include "terrarium/services/s3/expirer.h"

namespace terrarium::s3 {

void Expirer::take(const ListedVersion& entry) {
  if (marker_ && marker_->key == entry.key) marker_.reset();
  settle_marker();
  const bool behind = key_ == entry.key && !entry.latest;
  key_ = entry.key;
  if (behind) {
    if (is_due(version_due(configuration_, entry.key, entry.record, behind_))) {
      found_.push_back({Expiring::What::Version, entry.key, version_id_of(entry.record)});
    }
    behind_ = {entry.record.last_modified, behind_.newer + 1};
    return;
  }
  behind_ = {entry.record.last_modified, 0};
  if (entry.record.delete_marker) {
    marker_ = entry;
  } else if (is_due(object_due(configuration_, entry.key, entry.record))) {
    found_.push_back({Expiring::What::Object, entry.key, version_id_of(entry.record)});
  }
}

void Expirer::finish() { settle_marker(); }

void Expirer::settle_marker() {
  if (!marker_) return;
  if (is_due(marker_due(configuration_, marker_->key, marker_->record))) {
    found_.push_back({Expiring::What::Marker, marker_->key, version_id_of(marker_->record)});
  }
  marker_.reset();
}

}  // namespace terrarium::s3
