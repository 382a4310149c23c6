package fleet

import (
	"errors"
	"slices"
	"strings"
)

// Strategies by which EC2 chooses among spot pools, a pool being an instance
// type in a zone (Amazon EC2 Auto Scaling API Reference,
// InstancesDistribution).
const (
	PriceCapacityOptimized       = "price-capacity-optimized"
	LowestPrice                  = "lowest-price"
	CapacityOptimized            = "capacity-optimized"
	CapacityOptimizedPrioritized = "capacity-optimized-prioritized"
)

var strategies = []string{PriceCapacityOptimized, LowestPrice, CapacityOptimized, CapacityOptimizedPrioritized}

// mostPools is the limit of SpotInstancePools (as above).
const mostPools = 20

func checkPurchase(s Spec) error {
	return errors.Join(
		check(s.OnDemandBaseCapacity >= 0, "onDemandBaseCapacity: want 0 or more, got %d", s.OnDemandBaseCapacity),
		check(s.OnDemandPercentage >= 0 && s.OnDemandPercentage <= 100, "onDemandPercentage: want 0 to 100, got %d", s.OnDemandPercentage),
		check(slices.Contains(strategies, s.SpotAllocationStrategy), "spotAllocationStrategy: want one of %s, got %q", strings.Join(strategies, ", "), s.SpotAllocationStrategy),
		check(s.SpotInstancePools >= 1 && s.SpotInstancePools <= mostPools, "spotInstancePools: want 1 to %d, got %d", mostPools, s.SpotInstancePools),
	)
}
