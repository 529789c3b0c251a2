// Network interfaces that services of the region own: load balancers' nodes, databases. Pure.
#pragma once

#include "lib/base/result.h"
#include "terrarium/services/ec2/api.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

base::Result<ServiceInterface> create_service_interface(Transaction& transaction,
                                                        const ServiceInterfaceOrder& order);
base::Result<void> delete_service_interface(Transaction& transaction, const std::string& id);

}  // namespace terrarium::ec2
