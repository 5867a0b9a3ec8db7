// Command scrape_config writes what the Prometheus operator makes of typed resources: the configuration of Prometheus.
//
// It reads one JSON object {"prometheus": {...}, "serviceMonitors": [...], "podMonitors": [...], "probes": [...]} from
// standard input and uses the operator's own generator, so that what is judged is what runs.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/assets"
	"github.com/prometheus-operator/prometheus-operator/pkg/prometheus"
	"k8s.io/client-go/kubernetes/fake"
)

type asked struct {
	Prometheus      *monitoringv1.Prometheus       `json:"prometheus"`
	ServiceMonitors []*monitoringv1.ServiceMonitor `json:"serviceMonitors"`
	PodMonitors     []*monitoringv1.PodMonitor     `json:"podMonitors"`
	Probes          []*monitoringv1.Probe          `json:"probes"`
}

func written() ([]byte, error) {
	var what asked
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&what); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	generator, err := prometheus.NewConfigGenerator(nil, what.Prometheus)
	if err != nil {
		return nil, err
	}
	services := map[string]*monitoringv1.ServiceMonitor{}
	for _, each := range what.ServiceMonitors {
		services[each.Namespace+"/"+each.Name] = each
	}
	pods := map[string]*monitoringv1.PodMonitor{}
	for _, each := range what.PodMonitors {
		pods[each.Namespace+"/"+each.Name] = each
	}
	probes := map[string]*monitoringv1.Probe{}
	for _, each := range what.Probes {
		probes[each.Namespace+"/"+each.Name] = each
	}
	nothing := fake.NewSimpleClientset().CoreV1()
	store := assets.NewStoreBuilder(nothing, nothing)
	return generator.GenerateServerConfiguration(
		what.Prometheus, services, pods, probes, nil, store, nil, nil, nil, []string{"platform"})
}

func main() {
	text, err := written()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(text)
}
