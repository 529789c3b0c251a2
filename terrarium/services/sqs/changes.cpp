#include "terrarium/services/sqs/changes.h"

#include <algorithm>

#include "terrarium/services/sqs/keys.h"

namespace terrarium::sqs {

using store::Table;

std::size_t Changes::part_of(const QueuePtr& queue) {
  const auto found = std::ranges::find(parts_, queue, &Part::queue);
  if (found != parts_.end()) return static_cast<std::size_t>(found - parts_.begin());
  parts_.push_back({queue, queue->tally});
  return parts_.size() - 1;
}

std::uint64_t Changes::add(const QueuePtr& queue, const IndexRecord& index,
                           const MessageRecord& message) {
  const std::size_t part = part_of(queue);
  Tally& tally = parts_[part].tally;
  const auto moment = static_cast<std::uint64_t>(now_.time_since_epoch().count());
  const std::uint64_t sequence = std::max(tally.last_sequence + 1, moment);
  tally.last_sequence = sequence;
  ++tally.messages;
  parts_[part].counted = true;
  const std::uint64_t number = queue->record.number;
  std::string stored = encode(message);
  batch_.put(Table::Sqs, message_key(number, sequence), stored);
  if (queue->fifo() || message.delayed) {
    batch_.put(Table::Sqs, index_key(number, sequence), encode(index, message.group_id));
  }
  if (index.moved) batch_.put(Table::Sqs, moved_key(number, index.sent, sequence), {});
  effects_.push_back({What::Add, part, sequence, index, message.group_id, std::move(stored)});
  return sequence;
}

void Changes::update(const QueuePtr& queue, std::uint64_t sequence, const IndexRecord& index) {
  batch_.put(Table::Sqs, index_key(queue->record.number, sequence),
             encode(index, queue->order->group_of(sequence)));
  const std::size_t part = part_of(queue);
  // What was received waits no more: a start need not read past it.
  if (!queue->fifo()) parts_[part].counted = true;
  effects_.push_back({What::Update, part, sequence, index, {}, {}});
}

void Changes::erase(const QueuePtr& queue, std::uint64_t sequence, const IndexRecord& index) {
  const std::size_t part = part_of(queue);
  const std::uint64_t number = queue->record.number;
  Tally& tally = parts_[part].tally;
  if (tally.messages > 0) --tally.messages;
  parts_[part].counted = true;
  batch_.erase(Table::Sqs, message_key(number, sequence));
  batch_.erase(Table::Sqs, index_key(number, sequence));
  if (index.moved) batch_.erase(Table::Sqs, moved_key(number, index.sent, sequence));
  effects_.push_back({What::Erase, part, sequence, index, {}, {}});
}

base::Result<void> Changes::write(store::Store& store) {
  for (Part& part : parts_) {
    if (!part.counted) continue;
    part.tally.waiting_from = part.queue->order->waiting_from();
    batch_.put(Table::Sqs, tally_key(part.queue->record.number), encode(part.tally));
  }
  TRY_VOID(store.write(std::move(batch_)));
  for (const Part& part : parts_) {
    if (part.counted) part.queue->tally = part.tally;
  }
  for (const Effect& effect : effects_) {
    Queue& queue = *parts_[effect.queue].queue;
    MessageOrder& order = *queue.order;
    switch (effect.what) {
      case What::Add:
        order.add(effect.sequence, effect.index, effect.group, effect.stored, now_);
        queue.has_moved = queue.has_moved || effect.index.moved;
        break;
      case What::Update: order.update(effect.sequence, effect.index, now_); break;
      case What::Erase: order.erase(effect.sequence); break;
    }
  }
  return {};
}

std::vector<QueuePtr> Changes::queues() const {
  std::vector<QueuePtr> out;
  for (const Part& part : parts_) out.push_back(part.queue);
  return out;
}

}  // namespace terrarium::sqs
